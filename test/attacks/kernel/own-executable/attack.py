import errno
import hashlib
import os


def attempt(action):
    try:
        return f"allowed: {action()}"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    if task["input"] == "hash":
        return [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in ("/proc/self/exe", "/opt/collective/runner.py")]
    results = {}
    for path in ("/proc/self/exe", "/proc/1/exe", "/usr/bin/python3", "/opt/collective/runner.py", "/opt/collective/zygote.py", "/program/main.py", "/lib64/ld-linux-x86-64.so.2"):
        results[f"write {path}"] = attempt(lambda: os.open(path, os.O_WRONLY))
        results[f"truncate {path}"] = attempt(lambda: os.truncate(path, 0))
    fd = os.open("/proc/self/exe", os.O_RDONLY | os.O_PATH)
    results["through a path descriptor"] = attempt(lambda: os.open(f"/proc/self/fd/{fd}", os.O_WRONLY))
    results["unlink"] = attempt(lambda: os.unlink("/opt/collective/runner.py"))
    results["beside"] = attempt(lambda: os.open("/opt/collective/json.py", os.O_WRONLY | os.O_CREAT))
    return results
