import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


import mmap
import signal

# mov eax, <number>; xor ebx, ebx (or: a flag); int 0x80; ret
def by_interrupt(number, first=0):
    code = b"\x53\xb8" + number.to_bytes(4, "little") + b"\xbb" + first.to_bytes(4, "little") + b"\x31\xc9\x31\xd2\xcd\x80\x5b\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return in_child(run)


def in_child(run):
    pid = os.fork()
    if pid == 0:
        ctypes.set_errno(0)
        value = run()
        os._exit(ctypes.get_errno() if value == -1 else -value if -133 < value < 0 else 200)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    code = os.WEXITSTATUS(status)
    return errno.errorcode.get(code, f"allowed: {code}")


def solve(task, target):
    x32 = 0x40000000
    return {
        "int 80 getpid": by_interrupt(20),
        "int 80 unshare": by_interrupt(310, 0x10000000),
        "int 80 socketcall": by_interrupt(102, 1),
        "int 80 keyctl": by_interrupt(288),
        "x32 getpid": in_child(lambda: libc.syscall(x32 + 39)),
        "x32 ptrace": in_child(lambda: libc.syscall(x32 + 521, 0, 0, 0, 0)),
        "x32 io_setup": in_child(lambda: libc.syscall(x32 + 543, 1, 0)),
        "x32 unshare": in_child(lambda: libc.syscall(x32 + 272, 0x10000000)),
    }
