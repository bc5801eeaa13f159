import os


def solve(task, target):
    total = 0
    for folder, _, names in os.walk("/usr"):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            with open(path, "rb", buffering=0) as file:
                while data := file.read(1048576):
                    total += len(data)
    return total
