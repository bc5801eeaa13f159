import errno
import os


def fill(number):
    try:
        with open(f"/dev/shm/{number}", "wb", buffering=0) as file:
            while True:
                if file.write(b"x" * 65536) == 0:
                    return "no room"
    except OSError as error:
        return errno.errorcode[error.errno]


def inodes():
    try:
        for number in range(100_000):
            os.mkdir(f"/dev/shm/d{number}")
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    first = fill(0)
    os.unlink("/dev/shm/0")
    return [first, inodes()]
