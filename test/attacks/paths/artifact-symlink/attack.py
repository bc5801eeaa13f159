import os

TARGETS = ["/etc/passwd", "/proc/self/environ", "/proc/1/environ", "/gateway/gateway.sock", "/proc/self/root/etc/shadow", "/",
           "../../etc/passwd", "/dev/zero", "/proc/kmsg", "/work/own.txt"]


def solve(task, target):
    os.makedirs("/work/artifacts/inner")
    with open("/work/own.txt", "w") as file:
        file.write("on the same file system, and still not what the name says")
    for number, path in enumerate(TARGETS):
        os.symlink(path, f"/work/artifacts/link-{number}.txt")
        os.symlink(path, f"/work/artifacts/inner/link-{number}.txt")
    with open("/work/artifacts/good.txt", "w") as file:
        file.write("good")
    return "planted"
