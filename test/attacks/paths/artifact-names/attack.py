import os

NAMES = [b"line\nend", b"\x1b[31mred", "\u202egnp.exe".encode(), b"not-utf8-\xff\xfe", b"back\\slash", b"C:stream", b"a" * 255, b"quote\"", b"star*",
         b"...", b"-rf", b"plain.txt", b"tab\there", b"inner"]


def solve(task, target):
    os.mkdir("/work/artifacts")
    made = {}
    for number, name in enumerate(NAMES):
        path = b"/work/artifacts/" + name
        if name == b"inner":
            os.mkdir(path)
            path += b"/good.txt"
        with open(path, "w") as file:
            file.write(f"number {number}")
        made[str(number)] = "made"
    return made
