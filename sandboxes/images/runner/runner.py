"""The runner of a `python` sandbox: PID 1 of the container.

Theory of operation. Three parties: the worker outside, this runner, and the program. The worker speaks to the runner
in frames (four bytes of length, big-endian, then JSON) on stdin and stdout; the first frame carries a nonce that every
frame of ours repeats. The nonce never stands in argv, in the environment or in a file. Per case the runner executes a
fresh interpreter as another user; changing the user drops every capability, and the exec replaces the memory that a
fork would have inherited. The program therefore cannot read, signal or write to the runner: its stdin, stdout and
memory belong to uid 0.

The program's output comes back through one pipe, its answer through another. When a case is over every process
except this one is killed and reaped, so nothing of it can see the next case. When stdin ends, the worker is gone and
so are we: the end of PID 1 ends the container.

Between cases nothing is trusted that the program could have written: the child cleans the scratch space as the
program's own user before it loads the program, so no link can lead a privileged process astray.
"""

import base64
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

from relay import Relay

SLOT_UID = 65532
PROGRAM = "/program/main.py"
PORT = 8080
MAX_CONNECTIONS = 100
# Room for the ready mark, the kind, the end mark and the message of a fault.
ANSWER_EXTRA = 8192

CHILD_ENVIRONMENT = {
    "OPENAI_BASE_URL": f"http://127.0.0.1:{PORT}/v1",
    "OPENAI_API_KEY": "unused",
    "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{PORT}",
    "ANTHROPIC_API_KEY": "unused",
    "HOME": "/work",
    "TMPDIR": "/work",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # The order of a set must not differ between two runs of the same evaluation.
    "PYTHONHASHSEED": "0",
}


class WorkerGone(Exception):
    pass


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
    body = json.dumps(message).encode()
    rest = memoryview(struct.pack(">I", len(body)) + body)
    while rest:
        rest = rest[os.write(1, rest) :]


class Runner:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.relays = set()
        opening = read_frame()
        self.nonce = opening["nonce"]
        self.output_bytes = opening["outputBytes"]
        self.answer_bytes = opening["answerBytes"]
        with open(PROGRAM, "w", encoding="utf-8", newline="") as file:
            file.write(opening["source"])
        os.chmod(PROGRAM, 0o444)
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

    def run(self, frame):
        case = Case(self, frame)
        try:
            case.wait()
        finally:
            status = kill_and_reap(case.child.pid)
            for relay in list(self.relays):
                relay.close()
            case.drain()
        return case.result(status)


class Case:
    def __init__(self, runner, frame):
        self.runner = runner
        self.deadline = time.monotonic() + frame["wallMs"] / 1000
        self.seq = frame["seq"]
        self.log = bytearray()
        self.answer = bytearray()
        self.end = None
        self.answer_fd, answer_end = os.pipe()
        self.log_fd, log_end = os.pipe()
        self.child = subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-u", "/opt/collective/child.py", str(answer_end)],
            stdin=subprocess.PIPE,
            stdout=log_end,
            stderr=log_end,
            pass_fds=(answer_end,),
            env=CHILD_ENVIRONMENT,
            user=SLOT_UID,
            group=SLOT_UID,
            extra_groups=[],
            umask=0o077,
            start_new_session=True,
        )
        os.close(answer_end)
        os.close(log_end)
        self.exit_fd = os.pidfd_open(self.child.pid)
        for fd in (self.answer_fd, self.log_fd):
            os.set_blocking(fd, False)
        # The child reads all of its task before it loads the program, so this cannot be held up by the program.
        try:
            self.child.stdin.write(json.dumps(frame["task"]).encode())
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    def wait(self):
        selector = self.runner.selector
        own = (self.answer_fd, self.log_fd, self.exit_fd)
        for fd in own:
            selector.register(fd, selectors.EVENT_READ, None)
        while self.end is None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                self.end = "stopped"
                break
            for key, mask in selector.select(left):
                self.handle(key, mask)
        for fd in own:
            self.runner.watch(fd, 0, None)

    def handle(self, key, mask):
        if key.fd == self.answer_fd or key.fd == self.log_fd:
            if not self.read(key.fd):
                self.runner.watch(key.fd, 0, None)
        elif key.fd == self.exit_fd:
            self.end = self.end or "exit"
        elif key.fileobj is self.runner.listener:
            self.runner.accept()
        elif key.fd == 0:
            # All that comes while a case runs is the order to stop it, or the end of stdin.
            read_frame()
            self.end = self.end or "stopped"
        elif key.data in self.runner.relays:
            key.data.ready(key.fileobj, mask)

    def read(self, fd):
        """Reads what is there, up to one byte above the cap: that byte lets the worker see the excess itself."""
        if fd == self.answer_fd:
            into, cap = self.answer, self.runner.answer_bytes + ANSWER_EXTRA
        else:
            into, cap = self.log, self.runner.output_bytes
        try:
            data = os.read(fd, max(1, min(65536, cap + 1 - len(into))))
        except BlockingIOError:
            return False
        into += data[: cap + 1 - len(into)]
        if fd == self.answer_fd and (b"\n" in data or len(into) > cap):
            self.end = "answer"
        if fd == self.log_fd and len(into) > cap:
            self.end = self.end or "stopped"
        return len(data) > 0 and len(into) <= cap

    def drain(self):
        for fd in (self.answer_fd, self.log_fd):
            while self.read(fd):
                pass
            os.close(fd)
        os.close(self.exit_fd)

    def result(self, status):
        space = os.statvfs("/work")
        end = self.end
        if end == "exit" and not self.answer.startswith(b"+"):
            end = "unclean"
        return {
            "nonce": self.runner.nonce,
            "type": "result",
            "seq": self.seq,
            "end": end,
            "exitCode": status if status is not None and status >= 0 else None,
            "signal": signal.Signals(-status).name if status is not None and status < 0 else None,
            "answer": base64.b64encode(self.answer[1:]).decode(),
            "log": base64.b64encode(self.log).decode(),
            "diskFull": space.f_bavail * space.f_frsize < 65536 or space.f_favail < 2,
            "clean": True,
        }


def kill_and_reap(main_pid):
    """Kills every process but this one and reaps to the last; gives the exit status of `main_pid`.

    The wait blocks: a process that cannot be killed makes the worker's own clock end the container.
    """
    status = None
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            pid, raw = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if pid == main_pid:
            status = os.waitstatus_to_exitcode(raw)


def main():
    runner = Runner()
    write_frame({"nonce": runner.nonce, "type": "ready"})
    while True:
        frame = read_frame()
        # An order to stop may cross the result of the case it meant.
        if frame["type"] == "case":
            write_frame(runner.run(frame))


try:
    main()
except WorkerGone:
    os._exit(0)
