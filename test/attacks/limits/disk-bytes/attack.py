import os


def solve(task, target):
    if task["input"] is not None:
        return os.listdir("/work")
    with open("/work/file", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
