def solve(task, target):
    kept = []
    while task["input"] is None:
        kept.append(bytearray(b"x" * 1048576))
    return "rested"
