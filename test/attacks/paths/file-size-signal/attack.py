import errno
import os
import signal


def solve(task, target):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    seen = []
    for offset, data in ((1 << 50, b"x"), (0, b"x" * 1_100_000)):
        fd = os.open("/work/file", os.O_CREAT | os.O_WRONLY)
        try:
            rest = data
            while rest:
                rest = rest[os.pwrite(fd, rest, offset + len(data) - len(rest)) :]
            seen.append("written")
        except OSError as error:
            seen.append(errno.errorcode[error.errno])
        os.close(fd)
    return seen
