import os


def solve(task, target):
    n = 0
    while True:
        n += 1
        os.write(2, b"x" * 65536)
