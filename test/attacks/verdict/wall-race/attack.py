import time


def solve(task, target):
    time.sleep(0.31)
    return "late"
