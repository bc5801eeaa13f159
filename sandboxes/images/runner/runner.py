"""The runner of every sandbox: PID 1 of the container.

Theory of operation. Four parties: the worker outside, this runner, the zygote (zygote.py) and the program. The worker
speaks to the runner in frames (four bytes of length, big-endian, then JSON) on stdin and stdout; the first frame
carries a nonce that every frame of ours repeats. The nonce never stands in argv, in the environment or in a file.

The zygote is forked from the runner before that has read a single byte: what it forks for a case inherits its memory, so
it must never have held the nonce or another case's task. Per case it gets fresh pipes, forks, and the child drops to the
program's user (all capabilities go with that) before it loads or executes anything of the submission. The program
therefore cannot read, signal or write to the runner or the zygote: their memory and descriptors belong to uid 0.

When a case is over every process but the two of us is killed and reaped; nothing of it can see the next case. Where
something had to be killed, the zygote goes with it and the container takes no further case. When stdin ends, the worker
is gone and so are we: the end of PID 1 ends the container. What the program wrote is looked at only as the program's
own user, so no link can lead a privileged process astray.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from spawner import Spawner  # noqa: E402  first: the zygote must not see what comes later, and starts meanwhile

if __name__ == "__main__":
    spawner = Spawner()

import ctypes  # noqa: E402
import json  # noqa: E402
import selectors  # noqa: E402
import socket  # noqa: E402

from case import Case, Process  # noqa: E402
from frames import WorkerGone, read_frame, write_frame  # noqa: E402
from program import write_program  # noqa: E402
from relay import Relay  # noqa: E402

PORT = 8080
MAX_CONNECTIONS = 100
PR_SET_DUMPABLE = 4


class Runner:
    """Holds what lasts longer than a case: the worker's settings, the forwarder, the zygote, a shared program process."""

    def __init__(self, spawner):
        self.spawner = spawner
        self.selector = selectors.DefaultSelector()
        self.relays = set()
        self.settings = None
        # A process of the program that waits for its next task: the first one of a runtime that starts slowly, or the
        # one that answers case after case where the rubric lets cases share it.
        self.waiting = None
        self.listener = socket.create_server(("127.0.0.1", PORT), backlog=128)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.selector.register(0, selectors.EVENT_READ, None)

    def watch(self, end, wanted, data):
        known = end in self.selector.get_map()
        if wanted and known:
            self.selector.modify(end, wanted, data)
        elif wanted:
            self.selector.register(end, wanted, data)
        elif known:
            self.selector.unregister(end)

    def accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        if len(self.relays) >= MAX_CONNECTIONS:
            client.close()
            return
        Relay(self, client)

    def close_relays(self):
        for relay in list(self.relays):
            relay.close()

    def prefork(self):
        """Has a process ready before the next task comes. Everything of the last case is gone by now, nothing new is loaded."""
        if self.waiting is None and self.settings["kind"] == "python":
            self.waiting = Process(self.spawner)

    def hello(self, frame):
        self.settings = frame
        self.spawner.prepare(frame)
        if frame["kind"] == "node":
            # It has not loaded the program, and nobody's program has run here yet that could meddle with it.
            self.waiting = Process(self.spawner)


def main(spawner):
    # Nobody but the kernel may look into this process, whatever user it runs as.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    runner = Runner(spawner)
    spawner.wait_until_warm()
    hello = read_frame()
    nonce = hello.pop("nonce")
    runner.hello(hello)
    write_frame({"nonce": nonce, "type": "warm"})
    while True:
        frame = read_frame()
        if frame["type"] == "open":
            write_program(frame["files"])
            write_frame({"nonce": nonce, "type": "ready"})
        # An order to stop may cross the result of the case it meant.
        elif frame["type"] == "case":
            result = Case(runner, frame).run()
            write_frame({"nonce": nonce, **result})
            if result["clean"]:
                runner.prefork()


if __name__ == "__main__":
    try:
        main(spawner)
    except WorkerGone:
        os._exit(0)
