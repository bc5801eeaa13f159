import os


def solve(task, target):
    if task["input"] is not None:
        os.symlink(task["input"], "/work/artifacts")
    else:
        os.mkdir("/work/artifacts")
        os.symlink("/etc", "/work/artifacts/sub")
    return "planted"
