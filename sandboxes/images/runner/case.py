"""One case of a submission, from its task to its result frame."""

import base64
import os
import select
import selectors
import signal
import time

from frames import frame_of, read_frame
from spawner import ZygoteGone

# Room for the kind, the end mark and the message of a fault.
ANSWER_EXTRA = 8192
COLLECT_SECONDS = 5


class Process:
    """A process of the program with its pipes; lasts one case, or all of them where cases share it."""

    def __init__(self, spawner):
        task_end, self.task = os.pipe()
        self.log, log_end = os.pipe()
        self.answer, answer_end = os.pipe()
        self.pid = spawner.spawn([task_end, log_end, answer_end])
        for fd in (task_end, log_end, answer_end):
            os.close(fd)
        for fd in (self.task, self.log, self.answer):
            os.set_blocking(fd, False)

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def close(self):
        for fd in (self.task, self.log, self.answer):
            if fd is not None:
                os.close(fd)


class Case:
    def __init__(self, runner, frame):
        self.runner = runner
        self.settings = runner.settings
        self.seq = frame["seq"]
        self.started = time.monotonic()
        self.deadline = self.started + frame["wallMs"] / 1000
        self.log = bytearray()
        self.answer = bytearray()
        self.end = None
        self.clean = True
        # Set while the program prints faster than it may: when its log is read again.
        self.log_again = None
        self.is_image = self.settings["kind"] == "image"
        self.keeps = self.settings["cases"] == "shared" and not self.is_image
        task = frame_of(frame["task"])
        self.task = memoryview(task[4:] if self.is_image else task)

    def run(self):
        process = self.process = self.runner.waiting or Process(self.runner.spawner)
        self.runner.waiting = None
        if process.pid is None:
            process.close()
            return self.result("unclean", None)
        self.wait()
        if self.keeps and self.end == "answer":
            self.drain()
            self.runner.waiting = process
            self.runner.close_relays()
            return self.result(self.end, None)
        return self.finish()

    def finish(self):
        """Kills what is left, then looks at what it wrote."""
        spawner = self.runner.spawner
        self.process.kill()
        try:
            status = os.waitstatus_to_exitcode(spawner.exit_status())
        except ZygoteGone:
            status = -signal.SIGKILL
        self.clean = spawner.clear()
        self.runner.close_relays()
        self.drain()
        self.process.close()
        if self.is_image and self.end == "exit" and status == 0:
            self.end = "answer"
        return self.result(self.end, status, self.collect() if self.end == "answer" else None)

    def wait(self):
        runner, process = self.runner, self.process
        control = runner.spawner.control
        for fd in (process.answer, process.log, control):
            runner.watch(fd, selectors.EVENT_READ, None)
        runner.watch(process.task, selectors.EVENT_WRITE, None)
        while self.end is None:
            now = time.monotonic()
            if now >= self.deadline:
                self.end = "stopped"
                break
            if self.log_again is not None and now >= self.log_again:
                self.log_again = None
                runner.watch(process.log, selectors.EVENT_READ, None)
            until = self.deadline if self.log_again is None else min(self.deadline, self.log_again)
            for key, mask in runner.selector.select(until - now):
                self.handle(key, mask)
        for fd in (process.answer, process.log, process.task, control):
            if fd is not None:
                runner.watch(fd, 0, None)

    def handle(self, key, mask):
        process = self.process
        if key.data is not None:
            if key.data in self.runner.relays:
                key.data.ready(key.fileobj, mask)
        elif key.fileobj in (process.answer, process.log):
            if not self.read(key.fileobj) and self.log_again is None:
                self.runner.watch(key.fileobj, 0, None)
        elif key.fileobj == process.task:
            self.give_task()
        elif key.fileobj is self.runner.spawner.control:
            self.end = self.end or "exit"
        elif key.fileobj is self.runner.listener:
            self.runner.accept()
        elif key.fileobj == 0:
            # All that comes while a case runs is the order to stop it, or the end of stdin.
            read_frame()
            self.end = self.end or "stopped"

    def give_task(self):
        """A program need not read its task: what does not fit into the pipe waits here, and the deadline goes on."""
        process = self.process
        try:
            self.task = self.task[os.write(process.task, self.task) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.task = self.task[:0]
        if not self.task:
            self.runner.watch(process.task, 0, None)
            if not self.keeps:
                os.close(process.task)
                process.task = None

    def read(self, fd):
        """Reads what is there, up to one byte above the cap: that byte lets the worker see the excess itself."""
        is_answer = fd == self.process.answer
        into = self.answer if is_answer else self.log
        cap = self.settings["answerBytes"] + ANSWER_EXTRA if is_answer else self.settings["outputBytes"]
        most = min(65536, cap + 1 - len(into))
        if not is_answer:
            most = min(most, self.allowance())
            if most <= 0:
                return False
        try:
            data = os.read(fd, max(1, most))
        except BlockingIOError:
            return False
        into += data[: cap + 1 - len(into)]
        if is_answer and not self.is_image and b"\n" in data:
            self.end = self.end or "answer"
        if len(into) > cap:
            self.end = self.end or ("answer" if is_answer and not self.is_image else "stopped")
        return len(data) > 0 and len(into) <= cap

    def allowance(self):
        """Bytes of the log that may be read now; stops the reading for a moment when there are none.

        Whoever follows a log live must not be flooded by one participant; the program waits in its own write.
        """
        if self.end is not None:
            return 65536
        rate = self.settings["outputBytesPerSecond"]
        left = int(rate * (1 + time.monotonic() - self.started)) - len(self.log)
        if left <= 0:
            self.log_again = time.monotonic() + max(0.01, (1 - left) / rate)
            self.runner.watch(self.process.log, 0, None)
        return left

    def drain(self):
        for fd in (self.process.answer, self.process.log):
            while self.read(fd):
                pass

    def collect(self):
        """What the case left in its folder of artifacts, as JSON text; None when it is not wanted or cannot be had."""
        caps = self.settings["artifacts"]
        if caps["files"] == 0 or not self.clean:
            return None
        spawner = self.runner.spawner
        source, sink = os.pipe()
        try:
            pid = spawner.collect(sink)
        except ZygoteGone:
            pid = None
        os.close(sink)
        if pid is None:
            os.close(source)
            return None
        most = caps["files"] * 2048 + caps["bytes"] * 2
        text = read_until(source, most, time.monotonic() + COLLECT_SECONDS)
        os.close(source)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            spawner.exit_status()
        except ZygoteGone:
            self.clean = False
        return None if text is None else text.decode("ascii")

    def result(self, end, status, artifacts=None):
        # gVisor counts no files and says 0 of 0.
        space = os.statvfs("/work")
        answer = bytes(self.answer)
        if self.is_image and end == "answer":
            # JSON has line ends only between its parts; ours marks the end of an answer with one.
            answer = b"A" + answer.replace(b"\n", b" ") + b"\n"
        return {
            "type": "result",
            "seq": self.seq,
            "end": end,
            "exitCode": status if status is not None and status >= 0 else None,
            "signal": signal_name(-status) if status is not None and status < 0 else None,
            "answer": base64.b64encode(answer).decode(),
            "log": base64.b64encode(self.log).decode(),
            "diskFull": space.f_bavail * space.f_frsize < 65536 or (space.f_files > 0 and space.f_favail < 2),
            "artifacts": artifacts,
            "clean": self.clean and end != "unclean",
        }


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def read_until(fd, most, deadline):
    """Everything up to the end of `fd`; None when it is more than `most` bytes or later than `deadline`."""
    parts = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        data = os.read(fd, 65536)
        if not data:
            return bytes(parts)
        parts += data
        if len(parts) > most:
            return None
