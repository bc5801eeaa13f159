import os


def solve(task, target):
    if task["input"] == "some":
        os.write(1, b"a\x00b\xff\xfe\xc0\x80c\x1b[31m\xed\xa0\x80")
    elif task["input"] == "cut":
        os.write(1, "\u20ac".encode() * 1365)
    else:
        os.write(1, b"\xff" * 4096)
        os.write(1, b"\xf0\x9f\x98" * 4096)
    return "printed"
