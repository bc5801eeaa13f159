import errno
import os


def sparse(name, size):
    try:
        with open(name, "wb") as file:
            os.ftruncate(file.fileno(), size)
        return "made"
    except OSError as error:
        os.unlink(name)
        return errno.errorcode[error.errno]


def solve(task, target):
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.mkdir("/work/artifacts")
    results = [sparse(f"/work/artifacts/{size}.bin", size) for size in (1 << 40, 1 << 30, 4_000_000, 65_537)]
    with open("/work/artifacts/small.txt", "w") as file:
        file.write("small")
    return results
