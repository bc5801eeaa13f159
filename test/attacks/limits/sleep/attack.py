import time


def solve(task, target):
    time.sleep(3600)
