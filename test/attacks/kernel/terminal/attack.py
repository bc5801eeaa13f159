import errno
import fcntl
import os
import termios


def attempt(action):
    try:
        return f"allowed: {action()}"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    results = {"tty": attempt(lambda: os.open("/dev/tty", os.O_RDWR)), "console": attempt(lambda: os.open("/dev/console", os.O_RDWR))}
    results |= {f"type into {fd}": attempt(lambda: fcntl.ioctl(fd, termios.TIOCSTI, b"x")) for fd in (0, 1, 2, 3)}
    return results
