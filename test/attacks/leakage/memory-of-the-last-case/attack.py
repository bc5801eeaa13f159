import re

HALVES = ("marker-of-the-", "earlier-case")
# Written so that the program does not find itself.
WANTED = re.compile(rb"marker-of-the-[e]arlier-case")


def solve(task, target):
    if task["input"] == "leave":
        kept = [("".join(HALVES) * 20_000).encode() for _ in range(16)]
        return len(kept)
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, mode, *_ = line.split()
            if "w" not in mode or "[v" in line:
                continue
            start, end = (int(one, 16) for one in span.split("-"))
            memory.seek(start)
            try:
                if WANTED.search(memory.read(end - start)):
                    return "there"
            except OSError:
                continue
    return "absent"
