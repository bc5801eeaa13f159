import errno
import os


def link(source, name):
    try:
        os.link(source, f"/work/artifacts/{name}", follow_symlinks=False)
        return "made"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    os.mkdir("/work/artifacts")
    with open("/work/own.txt", "w") as file:
        file.write("own")
    with open("/work/artifacts/alone.txt", "w") as file:
        file.write("alone")
    sources = ["/etc/passwd", "/program/main.py", "/proc/1/environ", "/gateway/gateway.sock", "/work/own.txt"]
    return {source: link(source, f"link-{number}") for number, source in enumerate(sources)}
