import os
import re

# Thirty-two random bytes in hexadecimal. The word is put together so that the program does not find itself.
NONCE = re.compile(b"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def search_memory():
    found = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps.readlines():
            span, mode, _, _, inode, *path = line.split()
            # Files are searched as files; what a process knows of its own stands in memory of its own.
            if "w" not in mode or inode != "0" or path == ["[vvar]"]:
                continue
            start, end = (int(one, 16) for one in span.split("-"))
            try:
                memory.seek(start)
                found += [one.decode() for one in NONCE.findall(memory.read(end - start))]
            except OSError:
                continue
    return found


def search_files():
    found = []
    for folder in ("/work", "/program", "/gateway", "/dev/shm", "/opt/collective", "/run", "/etc", "/tmp"):
        for inner, _, names in os.walk(folder):
            for name in names:
                # A link leads to what is searched elsewhere, or to the list of mounts, where the container's own id stands.
                if os.path.islink(os.path.join(inner, name)):
                    continue
                try:
                    with open(os.path.join(inner, name), "rb") as file:
                        found += [os.path.join(inner, name) for _ in NONCE.findall(file.read(1 << 20))]
                except OSError:
                    continue
    return found


def search_others():
    """What gVisor shows of other users' processes, and no other kernel does."""
    found = []
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        for name in ("environ", "cmdline", "auxv", "maps", "comm"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    found += [f"{pid}/{name}" for _ in NONCE.findall(file.read(1 << 20))]
            except OSError:
                continue
    return found


def solve(task, target):
    others = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if int(name) > 3 and os.path.lexists(f"/proc/self/fd/{name}")]
    return {"memory": search_memory(), "files": search_files(), "others": search_others(), "descriptors": others}
