import os


def solve(task, target):
    fd = os.open("/proc/self/fd", os.O_RDONLY)
    found = {}
    for name in os.listdir(fd):
        # The list names the descriptor that read it, which is closed by now.
        if not os.path.lexists(f"/proc/self/fd/{name}"):
            continue
        link = os.readlink(f"/proc/self/fd/{name}")
        if int(name) != fd and not link.startswith("/proc/"):
            found[name] = link.split(":")[0]
    return found
