import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


import hashlib
import socket

FILES = ["/etc/passwd", "/usr/bin/python3", os.__file__, "/opt/collective/runner.py"]


def attempt(action):
    try:
        return f"allowed: {action()}"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    if task["input"] == "hash":
        return [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in FILES]
    fd = os.open("/etc/passwd", os.O_RDONLY)
    source, sink = os.pipe()
    _, second = os.pipe()
    os.write(sink, b"full")
    # With arguments that would be right: the filter says EINVAL to both, so that programs copy in another way.
    return {
        "socket": attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET)),
        "pair": attempt(lambda: socket.socketpair(38, socket.SOCK_SEQPACKET)),
        "splice": call(275, fd, 0, sink, 0, 4096, 0),
        "vmsplice": call(278, sink, 0, 0, 0),
        "tee": call(276, source, second, 4, 0),
        "copy into it": attempt(lambda: os.copy_file_range(os.open("/work/x", os.O_CREAT | os.O_RDWR), fd, 1)),
        "memfd_create": call(319, 0, 0),
        "write": attempt(lambda: os.write(fd, b"x")),
    }
