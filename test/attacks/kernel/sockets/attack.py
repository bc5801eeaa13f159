import errno
import socket


def attempt(family, kind):
    try:
        socket.socket(family, kind).close()
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    families = [number for number in range(3, 46) if number != socket.AF_INET6]
    return {f"{family}": attempt(family, kind) for family in families for kind in (1, 2, 3, 5)}
