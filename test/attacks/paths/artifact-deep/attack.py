import os


def solve(task, target):
    if task["input"] == "look":
        return sorted(os.listdir("/work"))
    os.mkdir("artifacts")
    os.chdir("artifacts")
    depth = 0
    while depth < 5_000:
        os.mkdir("d")
        os.chdir("d")
        depth += 1
    open("bottom", "w").close()
    return depth
