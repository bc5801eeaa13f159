import array
import errno
import os
import socket


def solve(task, target):
    if task["input"] is not None:
        return "rested"
    try:
        while True:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            fds = array.array("i", [ours.fileno(), theirs.fileno()])
            ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            ours.close()
            theirs.close()
    except OSError as error:
        return errno.errorcode[error.errno]
