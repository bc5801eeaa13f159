import atexit
import os
import signal
import sys
import threading


def answer():
    os.write(3, b'A"from a handler"\n')


class Late:
    def __del__(self):
        answer()


def solve(task, target):
    atexit.register(answer)
    if task["input"] == "atexit":
        sys.exit(0)
    if task["input"] == "hook":
        sys.excepthook = threading.excepthook = sys.unraisablehook = lambda *_: answer()
        signal.signal(signal.SIGTERM, lambda *_: answer())
        sys.late = Late()
    return "honest"
