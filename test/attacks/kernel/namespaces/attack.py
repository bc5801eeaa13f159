import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


FLAGS = {"user": 0x10000000, "net": 0x40000000, "mnt": 0x20000, "pid": 0x20000000, "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}


def enter(pid, name):
    try:
        fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        return call(308, fd, 0)
    finally:
        os.close(fd)


def solve(task, target):
    results = {f"unshare {name}": call(272, flag) for name, flag in FLAGS.items()}
    # In clone the lowest byte is a signal: a time namespace can be asked for only by clone3, which is refused whole.
    results |= {f"clone {name}": call(56, flag | 17, 0, 0, 0, 0) for name, flag in FLAGS.items() if flag > 0xFF}
    results |= {f"enter {name} of {pid}": enter(pid, name) for name in ("user", "net", "mnt", "pid") for pid in (1, "self")}
    block = (ctypes.c_uint64 * 11)(0x10000000)
    results["clone3"] = call(435, ctypes.addressof(block), 88)
    block[0] = 0x200000000
    results["clone3 into a control group"] = call(435, ctypes.addressof(block), 88)
    fd = os.pidfd_open(os.getpid())
    results["setns by pidfd"] = call(308, fd, 0x10000000)
    return results
