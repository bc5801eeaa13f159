"""Forks the processes of cases. A fork of the runner from before it knew anything; see the theory of operation there.

It serves one request after another on its control socket (descriptor 3):
  prepare  what every case needs to know
  case     three descriptors come along (stdin, log, answer); answered by {"ok", "pid"}, and by {"status"} at its end
  collect  one descriptor comes along; the artifacts are written to it, answered in the same way
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys

import artifacts
import child

CONTROL = 3
WRITABLE = ("/work", "/dev/shm")
NODE = "/usr/bin/node"
HERE = os.path.dirname(os.path.abspath(__file__))
HARNESS = os.path.join(HERE, "child.mjs")

# What a program finds in its environment. Nothing of the worker, nothing secret: the gateway knows us by our socket.
ENVIRONMENT = {
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
    # The interpreter has it from the container; what it starts shall have it too.
    "PYTHONHASHSEED": "0",
}

# What many programs import; a fork has it for nothing. Loaded one by one while nobody waits for us.
PRELOAD_AFTER_SECONDS = 0.25
PRELOADED = (
    ["ctypes", "http.client", "re", "random", "math", "collections", "functools", "itertools", "string", "datetime"]
    + ["hashlib", "base64", "dataclasses", "typing", "statistics", "traceback", "urllib.parse", "asyncio"]
)


def receive(control):
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(3 * 4))
    if not data:
        os._exit(0)
    fds = []
    for level, kind, part in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds += [fd for (fd,) in struct.iter_unpack("i", part[: len(part) // 4 * 4])]
    return json.loads(data), fds


def preload(control):
    """Loads one module after another until a request comes.

    Begins after a pause: a container that waits has time, one that is wanted at once shall not pay for what it may never use.
    """
    patience = PRELOAD_AFTER_SECONDS
    while PRELOADED and not select.select([control], [], [], patience)[0]:
        __import__(PRELOADED.pop(0))
        patience = 0


def preload_rest():
    while PRELOADED:
        __import__(PRELOADED.pop(0))
    # The collector of a fork would touch, and so copy, every page that holds an object.
    gc.collect()
    gc.freeze()


def serve(control):
    prepared = None
    served = 0
    leave_home()
    control.send(b"{}")
    while True:
        if prepared is not None and served == 0:
            preload(control)
        request, fds = receive(control)
        if request["do"] == "prepare":
            prepared = request
            continue
        # The first case of a container that was not waiting begins at once; from the second on loading pays.
        if request["do"] == "case":
            served += 1
            if served == 2 and prepared["kind"] == "python":
                preload_rest()
        work = (lambda: run_case(prepared)) if request["do"] == "case" else (lambda: collect(prepared))
        serve_one(control, prepared, fds, work)


def leave_home():
    """Programs find neither our files where they look for their own, nor the variables the engine set."""
    sys.path[:] = [place for place in sys.path if place != HERE]
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    import site

    # The runner starts without it, to start sooner; programs rely on what it does.
    site.main()


def serve_one(control, prepared, fds, work):
    """Forks one process for `work` and reports its pid, then how it ended."""
    begun, begins = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            become_program(prepared, fds, begins)
            work()
        except SystemExit as error:
            os._exit(exit_code(error.code))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(127)
        os._exit(0)
    os.close(begins)
    for fd in fds:
        os.close(fd)
    # The mark comes through a pipe that is closed before anything of the submission is loaded.
    ok = os.read(begun, 1) == b"+"
    os.close(begun)
    if not ok:
        os.waitpid(pid, 0)
        return control.send(json.dumps({"ok": False}).encode())
    control.send(json.dumps({"ok": True, "pid": pid}).encode())
    _, status = os.waitpid(pid, 0)
    control.send(json.dumps({"status": status}).encode())


def exit_code(code):
    """What the interpreter would make of `sys.exit(code)`."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    os.write(2, f"{code}\n".encode("utf-8", "replace"))
    return 1


def become_program(prepared, fds, begins):
    """Turns the forked process into one of the program's user, with these descriptors and no others."""
    os.setsid()
    # The kernel shall choose the program before the runner when the sandbox is out of memory.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    for fd, place in zip(places(prepared, fds), (0, 1, 2, 3), strict=False):
        os.dup2(fd, place)
    if len(fds) == 1 or prepared["kind"] == "image":
        os.close(CONTROL)
    os.dup2(begins, 4)
    os.closerange(5, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (prepared["openFiles"], prepared["openFiles"]))
    os.setgroups([])
    uid = prepared["uid"]
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.umask(0o077)
    os.chdir("/work")
    if prepared["cases"] == "independent" and len(fds) == 3:
        clean()
    os.write(4, b"+")
    os.close(4)


def places(prepared, fds):
    """Where the given descriptors go: stdin, stdout, stderr and, where it has a channel of its own, the answer."""
    if len(fds) == 1:
        nothing = os.open("/dev/null", os.O_RDWR)
        return (nothing, fds[0], nothing)
    stdin, log, answer = move_up(fds)
    # A program of any language answers on its stdout; the helper of ours leaves stdout to prints.
    return (stdin, answer, log) if prepared["kind"] == "image" else (stdin, log, log, answer)


def move_up(fds):
    """Out of the way of 0 to 4, which are overwritten one after another."""
    import fcntl

    return [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in fds]


def clean():
    """Empties the scratch space as the program's own user, so that no link can lead a privileged process astray."""
    for folder in WRITABLE:
        os.chmod(folder, 0o700)
        for entry in os.scandir(folder):
            remove(entry)
        # A folder's times would carry two numbers from one case to the next.
        os.utime(folder, ns=(0, 0))


def remove(entry):
    """Removes what may be a folder, opened up first: one that its owner may not enter cannot be emptied."""
    if not entry.is_dir(follow_symlinks=False):
        return os.unlink(entry.path)
    pending = [entry.path]
    folders = []
    # Not by recursion: a program chooses how deep its folders are.
    while pending:
        folder = pending.pop()
        os.chmod(folder, 0o700)
        folders.append(folder)
        for inner in os.scandir(folder):
            if inner.is_dir(follow_symlinks=False):
                pending.append(inner.path)
            else:
                os.unlink(inner.path)
    for folder in reversed(folders):
        os.rmdir(folder)


def run_case(prepared):
    if prepared["kind"] == "python":
        child.main(prepared["cases"] == "shared")
    elif prepared["kind"] == "node":
        heap = f"--max-old-space-size={prepared['heapMegabytes']}"
        shared = ["shared"] if prepared["cases"] == "shared" else []
        execute([NODE, heap, "--disable-warning=ExperimentalWarning", HARNESS, *shared], os.environ)
    else:
        execute(prepared["command"], {**os.environ, **prepared["environment"]})


def execute(command, environment):
    environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}
    # The interpreter ignores these two for itself; what it executes expects the usual.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
        os._exit(127)


def collect(prepared):
    artifacts.write(prepared["artifacts"])
