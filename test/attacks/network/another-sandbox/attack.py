import errno
import os
import select
import socket

NAMES = ["\0collective-covert", "\0/tmp/covert", "/work/covert.sock"]


def attempt(action):
    try:
        action()
        return "reached"
    except OSError as error:
        return errno.errorcode[error.errno]


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(1)
        one.connect(address)


def solve(task, target):
    if task["input"] == "connect":
        results = {f"unix {name[1:]}": attempt(lambda: connect(socket.AF_UNIX, name)) for name in NAMES}
        results |= {f"tcp {port}": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", port))) for port in (8000, 9999)}
        results["tcp6"] = attempt(lambda: connect(socket.AF_INET6, ("::1", 8001)))
        results["seen"] = "absent" if "covert" not in open("/proc/net/unix").read() else "seen"
        return results
    listeners = []
    for family, address in [(socket.AF_UNIX, name) for name in NAMES] + [(socket.AF_INET, ("0.0.0.0", 8000)), (socket.AF_INET, ("127.0.0.1", 9999)), (socket.AF_INET6, ("::", 8001))]:
        one = socket.socket(family, socket.SOCK_STREAM)
        try:
            one.bind(address)
            one.listen()
            listeners.append(one)
        except OSError:
            one.close()
    target.chat([{"role": "user", "content": "armed"}])
    ready, _, _ = select.select(listeners, [], [], 0)
    return [str(one.getsockname()) for one in ready]
