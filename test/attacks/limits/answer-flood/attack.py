import os


def solve(task, target):
    if task["input"] == "rest":
        return "rested"
    block = {"one line": b"A" + b"x" * 65535, "lines": b'A"x"\n' * 10_000, "nothing": b"\n" * 65536}[task["input"]]
    while True:
        os.write(3, block)
