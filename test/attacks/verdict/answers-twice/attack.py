import os
import time


def solve(task, target):
    if task["input"] == "both":
        os.write(3, b'A"first"\nA"second"\nF{}\n')
    elif task["input"] == "split":
        for part in (b"A", b'"fir', b'st"', b"\n"):
            os.write(3, part)
            time.sleep(0.01)
    elif task["input"] == "child":
        if os.fork() == 0:
            os.write(3, b'A"first"\n')
            os._exit(7)
        os.wait()
    else:
        os.write(3, b'A"first"\n')
    return "second"
