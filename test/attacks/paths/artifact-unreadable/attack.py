import os


def solve(task, target):
    if task["input"] == "look":
        return [os.listdir("/work"), os.listdir("/dev/shm")]
    os.makedirs("/work/artifacts/inner/deeper")
    for path in ("/work/artifacts/good.txt", "/work/artifacts/locked.txt", "/work/artifacts/inner/deeper/x", "/dev/shm/x"):
        with open(path, "w") as file:
            file.write("text")
    os.chmod("/work/artifacts/locked.txt", 0)
    os.chmod("/work/artifacts/inner/deeper", 0)
    os.chmod("/work/artifacts/inner", 0)
    if task["input"] == "lock-all":
        os.chmod("/work/artifacts", 0)
        os.chmod("/dev/shm", 0)
        os.chmod("/work", 0)
    return "locked"
