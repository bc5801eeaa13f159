import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *arguments)
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


def solve(task, target):
    make = 0o1666 if task["input"] == "leave" else 0
    key = 0x434F4C4C
    results = {
        "memory": call(29, key, 4096, make),
        "semaphore": call(64, key, 1, make),
        "messages": call(68, key, make),
        "queue": call(240, b"collective-marker", 0o102 if make else 0, 0o666, 0),
        "key": call(248, b"user", b"collective-marker", b"secret", 6, -4),
        "search": call(250, 10, -4, b"user", b"collective-marker", 0),
    }
    if task["input"] == "look":
        results |= {name: str(len(open(f"/proc/sysvipc/{name}").readlines()) - 1) for name in ("shm", "sem", "msg") if os.path.exists(f"/proc/sysvipc/{name}")}
    return results
