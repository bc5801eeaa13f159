import os


def solve(task, target):
    os.mkdir("/work/artifacts")
    for number in range(50):
        with open(f"/work/artifacts/{number:02}.txt", "w") as file:
            file.write("x" * 400)
    return "full"
