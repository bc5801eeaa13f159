import os
import time


def solve(task, target):
    started = time.monotonic()
    for _ in range(64):
        os.write(1, b"x" * 1000)
    # The first burst and what a pipe holds pass at once; the rest waits.
    os.write(1, b"")
    return "slow" if time.monotonic() - started < 10 else "stuck"
