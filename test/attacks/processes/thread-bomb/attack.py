import threading
import time


def solve(task, target):
    while task["input"] is None:
        try:
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        except RuntimeError:
            pass
    return "rested"
