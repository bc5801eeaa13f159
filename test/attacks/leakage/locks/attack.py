import errno
import fcntl
import os
import struct

FILES = ["/usr/bin/python3", "/etc/passwd", "/etc/hostname", "/opt/collective/runner.py"]
LEASE = 1024
MARK = 434241002
kept = []


def attempt(action, done):
    try:
        action()
        return done
    except OSError as error:
        return errno.errorcode[error.errno]


def lock(path):
    fd = os.open(path, os.O_RDONLY)
    kept.append(fd)
    return {
        "flock": attempt(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), "locked"),
        "posix": attempt(lambda: fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB), "locked"),
        "lease": attempt(lambda: fcntl.fcntl(fd, LEASE, fcntl.F_RDLCK), "locked"),
    }


def signal_by_range():
    """Locks of a file of its own, whose range says something to whoever sees the list of locks."""
    fd = os.open("/work/own", os.O_CREAT | os.O_RDWR)
    kept.append(fd)
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, MARK, 7, 0)
    return {
        "posix": attempt(lambda: fcntl.fcntl(fd, fcntl.F_SETLK, asked), "locked"),
        "open file": attempt(lambda: fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, MARK + 100, 7, 0)), "locked"),
    }


def look(path):
    fd = os.open(path, os.O_RDONLY)
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
    held = struct.unpack("hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, asked))[0]
    return {
        "flock": attempt(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), "free"),
        "posix": "free" if held == fcntl.F_UNLCK else "EAGAIN: held by somebody",
    }


def solve(task, target):
    if task["input"] == "lock":
        results = {path: lock(path) for path in FILES} | {"own": signal_by_range()}
        target.chat([{"role": "user", "content": "armed"}])
        return results
    results = {path: look(path) for path in FILES}
    shown = [line for line in open("/proc/locks")] if os.path.exists("/proc/locks") else []
    told = [line for line in shown if str(MARK)[:6] in line]
    results["shown"] = "none" if not told else f"{told}"
    return results
