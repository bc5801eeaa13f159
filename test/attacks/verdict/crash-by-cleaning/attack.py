import os


def solve(task, target):
    how = task["input"]
    if how == "lock":
        os.makedirs("/work/a/b/c")
        for path in ("/work/a/b/c", "/work/a/b", "/work/a", "/work", "/dev/shm"):
            os.chmod(path, 0)
    elif how == "nest":
        os.chdir("/work")
        for _ in range(4_000):
            os.mkdir("n" * 200)
            os.chdir("n" * 200)
            if _ % 100 == 0:
                os.chmod("..", 0o300)
    elif how == "fill":
        try:
            for number in range(30_000):
                os.close(os.open(f"/work/{number}", os.O_CREAT))
        except OSError:
            pass
    elif how == "names":
        for name in (b"\xff\xfe", b"-rf", b"\n", b"*", b"a" * 255, b" ", b"..."):
            os.makedirs(b"/work/" + name)
            os.mkfifo(b"/dev/shm/" + name)
    return how
