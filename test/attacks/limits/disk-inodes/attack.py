import os


def solve(task, target):
    if task["input"] is not None:
        return os.listdir("/work")
    for number in range(200_000):
        os.close(os.open(f"/work/{number}", os.O_CREAT | os.O_WRONLY))
