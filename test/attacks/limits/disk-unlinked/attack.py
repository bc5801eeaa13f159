import errno
import os


def solve(task, target):
    if task["input"] is not None:
        with open("/work/large", "wb") as file:
            file.write(b"x" * 8_000_000)
        return "rested"
    kept = []
    try:
        while True:
            kept.append(os.open("/work/file", os.O_CREAT | os.O_RDWR))
            os.unlink("/work/file")
            for _ in range(16):
                os.write(kept[-1], b"x" * 65536)
    except OSError as error:
        return errno.errorcode[error.errno]
