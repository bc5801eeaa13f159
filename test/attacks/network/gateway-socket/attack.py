import errno
import os
import socket

SOCKET = "/gateway/gateway.sock"


def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]


def bind(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    return {
        "unlink": attempt(lambda: os.unlink(SOCKET)),
        "rename": attempt(lambda: os.rename(SOCKET, "/gateway/old.sock")),
        "rename out": attempt(lambda: os.rename(SOCKET, "/work/old.sock")),
        "link": attempt(lambda: os.link(SOCKET, "/work/gateway.sock")),
        "mode": attempt(lambda: os.chmod(SOCKET, 0o600)),
        "owner": attempt(lambda: os.chown(SOCKET, os.getuid(), -1)),
        "times": attempt(lambda: os.utime(SOCKET)),
        "bind": attempt(lambda: bind(SOCKET)),
        "bind beside": attempt(lambda: bind("/gateway/second.sock")),
        "symlink": attempt(lambda: os.symlink("/work/x", "/gateway/link")),
        "folder": attempt(lambda: os.mkdir("/gateway/folder")),
        "replace": attempt(lambda: os.replace("/work", "/gateway")),
        "list": attempt(lambda: os.listdir("/gateway")),
    }
