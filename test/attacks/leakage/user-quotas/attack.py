import ctypes
import errno
import fcntl
import os
import select
import signal
import time

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *arguments)
    if value < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return value


def timer():
    call(222, 1, 0, ctypes.byref(ctypes.c_int()))


def queued():
    # Queued to a process that does not take it: it stays in the table of the sender's user.
    call(129, os.getpid(), signal.SIGRTMIN, ctypes.byref((ctypes.c_int * 32)(signal.SIGRTMIN, 0, -1)))


def wide_pipe():
    _, sink = os.pipe()
    if fcntl.fcntl(sink, 1031, 262144) < 262144:
        raise OSError(errno.EPERM, "refused")


def watch():
    return call(253)


def epoll():
    select.epoll().register(0 if False else os.pipe()[0], select.EPOLLIN)


KINDS = {"timers": timer, "signals": queued, "pipes": wide_pipe, "watches": watch, "epoll": epoll}


def until_refused(action, most=200_000):
    try:
        for _ in range(most):
            action()
    except OSError:
        pass


def solve(task, target):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
    if task["input"] == "use":
        results = {}
        for name, action in KINDS.items():
            try:
                for _ in range(3):
                    action()
                results[name] = "ok"
            except OSError as error:
                results[name] = "EPERM" if name == "watches" and error.errno == errno.EPERM else f"another filled it: {errno.errorcode[error.errno]}"
        return results
    ready, done = os.pipe()
    for action in KINDS.values():
        for _ in range(4):
            if os.fork() == 0:
                until_refused(action)
                os.write(done, b"x")
                time.sleep(60)
    for _ in range(4 * len(KINDS)):
        os.read(ready, 1)
    target.chat([{"role": "user", "content": "armed"}])
    return "filled"
