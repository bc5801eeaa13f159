import os


def solve(task, target):
    while True:
        pid = os.posix_spawn("/usr/bin/python3", ["python3", "-I", "-S", "-c", "pass"], {})
        os.waitpid(pid, 0)
