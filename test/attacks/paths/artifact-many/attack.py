import os


def solve(task, target):
    os.mkdir("/work/artifacts")
    for number in range(18_000):
        os.close(os.open(f"/work/artifacts/{number}", os.O_CREAT | os.O_WRONLY))
    return "filled"
