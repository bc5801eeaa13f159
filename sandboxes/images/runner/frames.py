"""Frames between worker and runner on stdin and stdout: four bytes of length, big-endian, then JSON."""

import json
import os
import struct


class WorkerGone(Exception):
    """stdin has ended: whoever gave the orders is no longer there."""


def read_exactly(count):
    parts = bytearray()
    while len(parts) < count:
        part = os.read(0, min(count - len(parts), 1 << 20))
        if not part:
            raise WorkerGone
        parts += part
    return bytes(parts)


def read_frame():
    return json.loads(read_exactly(struct.unpack(">I", read_exactly(4))[0]))


def write_frame(message):
    write_all(1, frame_of(message))


def frame_of(message):
    body = json.dumps(message, separators=(",", ":")).encode()
    return struct.pack(">I", len(body)) + body


def write_all(fd, data):
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
