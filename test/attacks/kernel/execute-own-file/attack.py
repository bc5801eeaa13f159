import ctypes
import errno
import glob
import mmap
import os
import shutil
import subprocess

libc = ctypes.CDLL(None, use_errno=True)


def attempt(action):
    try:
        return f"allowed: {action()}"
    except OSError as error:
        return errno.errorcode[error.errno]


def mapped(path):
    fd = os.open(path, os.O_RDONLY)
    return mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def through_loader(path):
    loader = glob.glob("/lib64/ld-linux*")[0]
    return str(subprocess.run([loader, path, "-c", "pass"], stderr=subprocess.DEVNULL).returncode)


def solve(task, target):
    results = {}
    for folder in ("/work", "/dev/shm"):
        path = f"{folder}/tool"
        source = "/usr/bin/python3" if folder == "/work" else "/etc/passwd"
        shutil.copy(source, path)
        os.chmod(path, 0o755)
        results[f"execute in {folder}"] = attempt(lambda: subprocess.run([path, "-c", "pass"]))
        results[f"map in {folder}"] = attempt(lambda: mapped(path))
    results["through the loader"] = through_loader("/work/tool")
    with open("/work/script", "w") as file:
        file.write("#!/usr/bin/python3\nprint(1)\n")
    os.chmod("/work/script", 0o755)
    results["script"] = attempt(lambda: subprocess.run(["/work/script"]))
    fd = libc.memfd_create(b"x", 0)
    results["memory file"] = errno.errorcode[ctypes.get_errno()] if fd < 0 else "allowed"
    results["program folder"] = attempt(lambda: shutil.copy("/usr/bin/python3", "/program/tool"))
    return results
