import errno
import os
import signal


def send(action):
    try:
        action()
        return "sent"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    results = {}
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    for pid in others:
        for number in range(1, 65):
            results[f"{pid} {number}"] = send(lambda: os.kill(pid, number))
        results[f"{pid} pidfd"] = send(lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL))
    for group in others:
        results[f"group {group}"] = send(lambda: os.killpg(group, signal.SIGKILL)) if group > 1 else "ESRCH"
    # To everybody: the kernel says yes also when it refused each of them.
    send(lambda: os.kill(-1, signal.SIGKILL))
    for pid in others:
        results[f"{pid} after everybody"] = "EPERM" if os.path.exists(f"/proc/{pid}/stat") else "killed"
    return results
