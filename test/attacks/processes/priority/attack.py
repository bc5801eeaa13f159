import ctypes
import errno
import os
import resource

libc = ctypes.CDLL(None, use_errno=True)


def attempt(action):
    try:
        action()
        return "allowed"
    except OSError as error:
        return errno.errorcode[error.errno]
    except ValueError:
        return "EPERM"


def call(number, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(number, *[ctypes.c_long(one) for one in arguments]) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def solve(task, target):
    parameter = os.sched_param(50)
    return {
        "nice": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -20)),
        "nice of init": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)),
        "fifo": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, parameter)),
        "round robin": attempt(lambda: os.sched_setscheduler(0, os.SCHED_RR, parameter)),
        "deadline": attempt(lambda: call(314, 0, 0, 0)),
        "affinity of init": attempt(lambda: os.sched_setaffinity(1, {0})),
        "io priority": attempt(lambda: call(251, 1, 0, 1 << 13)),
        "limit": attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))),
        "limit of init": attempt(lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))),
        "oom score": attempt(lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")),
    }
