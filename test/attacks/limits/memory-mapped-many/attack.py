import mmap


def solve(task, target):
    kept = []
    try:
        while True:
            # Each second page is given back, so that the kernel cannot join neighbours.
            kept.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ | (mmap.PROT_WRITE if len(kept) % 2 else 0)))
    except OSError:
        return len(kept)
