import os
import signal


def solve(task, target):
    how = task["input"]
    if how == "raise":
        raise ValueError("after")
    if how == "half":
        os.write(3, b'A"giv')
    elif how != "nothing":
        os.write(3, b'A"given"\n')
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(how if isinstance(how, int) else 1)
