import os


def solve(task, target):
    if task["input"] == "count":
        return sum(1 for name in os.listdir("/proc") if name.isdigit())
    for _ in range(20):
        if os.fork() == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
    return "dead"
