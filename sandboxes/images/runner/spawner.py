"""The runner's side of the zygote: starts it, asks it for processes, kills and reaps everything after a case."""

import json
import os
import signal
import socket
import struct


class ZygoteGone(Exception):
    """The zygote ended: killed with the rest of a case, or by the kernel for want of memory."""


class Spawner:
    def __init__(self):
        """Forks the zygote. Must come before the runner has read a byte: a fork inherits all that its parent has seen."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        self.pid = os.fork()
        if self.pid == 0:
            become_zygote(theirs.fileno())
        theirs.close()

    def wait_until_warm(self):
        self.receive()

    def prepare(self, frame):
        """Tells the zygote what every case needs to know."""
        keys = ("kind", "uid", "command", "environment", "openFiles", "cases", "heapMegabytes", "artifacts")
        self.send({"do": "prepare", **{key: frame[key] for key in keys}})

    def spawn(self, fds):
        """Starts a process for one case on [stdin, log, answer]; gives its pid, None when it could not begin."""
        try:
            self.send({"do": "case"}, fds)
            started = self.receive()
        except ZygoteGone:
            return None
        return started["pid"] if started["ok"] else None

    def collect(self, fd):
        """Has the files of the case's artifacts written to `fd` by a process of the program's user; None when it cannot."""
        self.send({"do": "collect"}, [fd])
        started = self.receive()
        return started["pid"] if started["ok"] else None

    def exit_status(self):
        """The wait status of the process that was spawned last; blocks until it has ended."""
        return self.receive()["status"]

    def send(self, message, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
        try:
            self.control.sendmsg([json.dumps(message).encode()], ancillary)
        except OSError as error:
            raise ZygoteGone from error

    def receive(self):
        data = self.control.recv(65536)
        if not data:
            raise ZygoteGone
        return json.loads(data)

    def clear(self):
        """Ends whatever is left of a case. True when nothing was: most cases leave nothing, and the zygote lives on.

        Where something is left, everything is killed in one call, the zygote too: going through a list would race with
        a program that forks faster than we look. The container is not used again then.
        """
        if not self.gone() and others(self.pid) == 0:
            return True
        kill_everything()
        return False

    def gone(self):
        """Whether the zygote has ended; reaps orphans on the way."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == self.pid:
                return True
            if pid == 0:
                return False


def become_zygote(control):
    """Turns this fork into the zygote: nothing of the runner's descriptors, its own end of the control socket as 3."""
    try:
        nowhere = os.open("/dev/null", os.O_RDWR)
        # The runner's stdin and stdout carry the worker's frames: no other process may ever hold them.
        os.dup2(control, 3)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        os.closerange(4, 65536)
        import zygote

        zygote.serve(socket.socket(fileno=3))
    finally:
        os._exit(1)


def others(zygote):
    """How many processes there are beside the runner and the zygote; zombies count."""
    return sum(1 for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, zygote))


def kill_everything():
    """The wait blocks: a process that cannot be killed makes the worker's own clock end the container."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
