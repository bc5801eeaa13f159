import builtins
import json
import os
import resource
import signal
import socket
import sys
import threading
import time

MARK = "collective-marker"


def leave():
    builtins.marker = json.marker = sys.modules["os"].marker = MARK
    os.environ[MARK] = "1"
    sys.path.insert(0, "/work")
    os.umask(0)
    os.chdir("/dev/shm")
    os.nice(5)
    for folder in ("/work", "/dev/shm"):
        os.makedirs(f"{folder}/{MARK}/.hidden")
        open(f"{folder}/.{MARK}", "w").close()
        os.mkfifo(f"{folder}/{MARK}.fifo")
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    if os.fork() == 0:
        one = socket.socket(socket.AF_UNIX)
        one.bind("\0" + MARK)
        one.listen()
        open("/work/ready", "w").close()
        time.sleep(60)
    while not os.path.exists("/work/ready"):
        time.sleep(0.001)
    return "left"


def there(found):
    return "there" if found else "absent"


def solve(task, target):
    if task["input"] == "leave":
        return leave()
    with socket.socket(socket.AF_UNIX) as one:
        reached = one.connect_ex("\0" + MARK) == 0
    mask = os.umask(0o77)
    return {
        "builtins": there(hasattr(builtins, "marker")),
        "module": there(hasattr(json, "marker") or hasattr(os, "marker")),
        "environment": there(MARK in os.environ),
        "path": there("/work" in sys.path),
        "umask": oct(mask),
        "folder": os.getcwd(),
        "work": there(os.listdir("/work")),
        "shm": there(os.listdir("/dev/shm")),
        "socket": there(reached),
        "unix": there(MARK in open("/proc/net/unix").read()),
        "threads": str(threading.active_count()),
        "signal": there(signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN),
        "limit": there(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 20),
        "nice": str(os.nice(0)),
    }
