import os


def solve(task, target):
    names = ("net", "mnt", "pid", "ipc", "uts", "cgroup")
    return {name: os.readlink(f"/proc/self/ns/{name}") for name in names}
