import errno
import mmap


def reserve(size):
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
        return "mapped"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    return [reserve(1 << 40), reserve(1 << 46)]
