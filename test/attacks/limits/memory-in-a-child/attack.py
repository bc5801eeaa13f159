import os


def solve(task, target):
    pid = os.fork()
    if pid == 0:
        kept = []
        while True:
            kept.append(bytearray(b"x" * 1048576))
    _, status = os.waitpid(pid, 0)
    return status
