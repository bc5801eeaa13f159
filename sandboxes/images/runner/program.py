"""Puts the submission's files where the program's user may read them and nobody may change them."""

import base64
import os

PROGRAM = "/program"


def write_program(files):
    """Writes `[{path, data}]`, data in base64. No process of the program exists yet, so nothing can be in the way."""
    for file in files:
        path = os.path.join(PROGRAM, file["path"])
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444)
        with os.fdopen(fd, "wb") as out:
            out.write(base64.b64decode(file["data"]))
