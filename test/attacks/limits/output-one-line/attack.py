import os


def solve(task, target):
    block = b"y" * 1048576
    for _ in range(2048):
        rest = block
        while rest:
            rest = rest[os.write(1, rest) :]
    return "written"
