import errno
import os
import resource
import select
import socket


def exhaust(make):
    kept = []
    try:
        while True:
            kept.append(make())
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    first = exhaust(lambda: open("/dev/null"))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1, most + 1))
        raised = "raised"
    except (OSError, ValueError):
        raised = "EPERM"
    return [first, most, exhaust(select.epoll), exhaust(lambda: socket.socketpair()), raised]
