import errno
import os
import signal


def attempt(action):
    try:
        action()
        return "reserved"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    fds = [os.open(f"/work/{number}", os.O_CREAT | os.O_RDWR) for number in range(4)]
    return [
        attempt(lambda: os.posix_fallocate(fds[0], 0, 1 << 40)),
        attempt(lambda: [os.posix_fallocate(fd, 0, 4_000_000) for fd in fds]),
    ]
