import os


def writable(folder):
    path = f"{folder}/collective-probe"
    for make in (lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)), lambda: os.mkdir(path), lambda: os.symlink("x", path)):
        try:
            make()
        except OSError:
            continue
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
        return True
    return False


def solve(task, target):
    found = []
    for folder, folders, _ in os.walk("/"):
        # Processes are folders of /proc, and nothing can be made in any of them.
        folders[:] = [name for name in folders if not (folder == "/proc" and name.isdigit() and name != str(os.getpid()))]
        if writable(folder):
            found.append(folder)
    return sorted(found)
