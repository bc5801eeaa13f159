import os
import time


def solve(task, target):
    how = task["input"]
    if how == "cpu":
        while time.process_time() < 0.23:
            pass
    elif how == "output":
        os.write(1, b"x" * 1025)
    elif how == "processes":
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(60)
        except OSError:
            pass
    else:
        pid = os.fork()
        if pid == 0:
            kept = []
            while True:
                kept.append(bytearray(b"x" * 4194304))
        os.waitpid(pid, 0)
    return "in time"
