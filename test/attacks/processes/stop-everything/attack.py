import os
import signal
import time


def solve(task, target):
    if task["input"] == "count":
        return sum(1 for name in os.listdir("/proc") if name.isdigit())
    pids = [os.fork() for _ in range(4)] if task["input"] == "leave stopped" else []
    if 0 in pids:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(3600)
    for pid in pids:
        os.waitpid(pid, os.WUNTRACED)
    if task["input"] == "stop":
        try:
            os.kill(-1, signal.SIGSTOP)
        except OSError:
            pass
        os.kill(os.getpid(), signal.SIGSTOP)
    return "left"
