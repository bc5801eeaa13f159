import errno
import socket
import time
import os


def take(address, family=socket.AF_INET, reuse=()):
    one = socket.socket(family)
    for option in reuse:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        one.bind(address)
        one.listen()
        return "taken"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    both = (socket.SO_REUSEADDR, socket.SO_REUSEPORT)
    return {
        "same": take(("127.0.0.1", 8080)),
        "shared": take(("127.0.0.1", 8080), reuse=both),
        "any": take(("0.0.0.0", 8080)),
    }
