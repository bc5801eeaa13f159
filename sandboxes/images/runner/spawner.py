"""The runner's side of the zygote: starts it, asks it for processes, kills and reaps everything after a case."""

import array
import json
import os
import signal
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# What a program finds in its environment. Nothing of the worker, nothing secret: the gateway knows us by our socket.
CHILD_ENVIRONMENT = {
    "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1",
    "OPENAI_API_KEY": "unused",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080",
    "ANTHROPIC_API_KEY": "unused",
    "HOME": "/work",
    # Every container has a user of its own, which no list of users knows by name.
    "USER": "program",
    "TMPDIR": "/work",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # The order of a set must not differ between two runs of the same evaluation.
    "PYTHONHASHSEED": "0",
}


class ZygoteGone(Exception):
    """The zygote ended: killed with the rest of a case, or by the kernel for want of memory."""


class Spawner:
    def __init__(self):
        self.pid = None
        self.control = None
        self.prepared = None
        self.start()

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

    def start(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        nowhere = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        actions = [
            # Our stdin and stdout carry the worker's frames: no other process may ever hold them.
            (os.POSIX_SPAWN_DUP2, nowhere, 0),
            (os.POSIX_SPAWN_DUP2, nowhere, 1),
            (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
        ]
        argv = [*interpreter(), os.path.join(HERE, "zygote.py")]
        # The engine adds variables of its own; in an image of a participant our interpreter has to find its library.
        own = {key: os.environ[key] for key in ("COLLECTIVE_INTERPRETER", "PYTHONHOME") if key in os.environ}
        self.pid = os.posix_spawn(argv[0], argv, {**CHILD_ENVIRONMENT, **own}, file_actions=actions)
        os.close(nowhere)
        theirs.close()
        self.control = ours

    def wait_until_warm(self):
        self.receive()

    def prepare(self, frame):
        """Tells the zygote what every case needs to know; repeated to each new one."""
        keys = ("kind", "uid", "command", "environment", "openFiles", "cases", "heapMegabytes", "artifacts")
        self.prepared = {key: frame[key] for key in keys}
        self.send({"do": "prepare", **self.prepared})

    def spawn(self, fds):
        """Starts a process for one case on [stdin, log, answer]; gives its pid, None when it could not begin."""
        try:
            self.send({"do": "case"}, fds)
            started = self.receive()
        except ZygoteGone:
            return None
        return started["pid"] if started["ok"] else None

    def collect(self, fd):
        """Has the files of the case's artifacts written to `fd` by a process of the program's user; gives its pid."""
        self.send({"do": "collect"}, [fd])
        return self.receive()["pid"]

    def exit_status(self):
        """The wait status of the process that was spawned last; blocks until it has ended."""
        return self.receive()["status"]

    def send(self, message, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
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
        """Ends whatever is left of a case. Most cases leave nothing, and the zygote lives on.

        Where something is left, everything is killed in one call, the zygote too: going through a list would race with
        a program that forks faster than we look.
        """
        if not self.gone() and others(self.pid) == 0:
            return
        self.control.close()
        kill_everything()
        self.start()
        self.wait_until_warm()
        if self.prepared is not None:
            self.send({"do": "prepare", **self.prepared})


def interpreter():
    """The command that started this interpreter: in an image of a participant it is not the image's own Python."""
    loader = os.environ.get("COLLECTIVE_INTERPRETER")
    return [*(json.loads(loader) if loader else [sys.executable]), "-s", "-P", "-B", "-u"]


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
