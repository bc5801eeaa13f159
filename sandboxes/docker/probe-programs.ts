/**
 * Programs that try from inside what the hardening profile forbids and report what happened. The doctor runs the first
 * one in a live container; the tests run all of them. They are submissions like any other: nothing in a sandbox treats
 * them in another way.
 */

/** Reports what the kernel says about the program itself. */
export const selfReport = `
import os, socket

def attempt(action):
    try:
        action()
        return "allowed"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)

def solve(task, target):
    status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
    wanted = ("Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp", "Groups")
    interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
    return {
        "status": {name: status.get(name, "").split() for name in wanted},
        "interfaces": interfaces,
        "algSocket": attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET)),
        "writeRoot": attempt(lambda: open("/probe", "w")),
        "writeScratch": attempt(lambda: open("/work/probe", "w")),
        "environment": dict(os.environ),
    }
`;

/** Tries paths, sockets, addresses, the runner and the gateway's socket; the answer maps each attempt to its error. */
export const reach = `
import os, signal, socket

def attempt(action):
    try:
        action()
        return "allowed"
    except OSError as error:
        return type(error).__name__ + " " + str(error.errno)

def connect(address):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        s.connect(address)

def solve(task, target):
    write = lambda path: attempt(lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK)))
    read = lambda path: attempt(lambda: open(path, "rb").read(1))
    paths = ["/x", "/etc/x", "/etc/passwd", "/usr/x", "/opt/collective/runner.py", "/program/main.py", "/program/x", "/gateway/x",
             "/dev/x", "/dev/mqueue/x", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/x", "/proc/1/fd/1",
             "/proc/1/fd/0", "/proc/1/mem", "/proc/1/oom_score_adj"]
    sock = "/gateway/gateway.sock"
    return {
        "write": {path: write(path) for path in paths},
        "read": {path: read(path) for path in ["/proc/1/environ", "/proc/1/fd/0", "/proc/1/mem", "/proc/1/maps", "/proc/kcore", "/dev/kmsg"]},
        "sockets": {
            name: attempt(lambda: socket.socket(*kind))
            for name, kind in {
                "alg": (38, 5), "vsock": (40, 1), "packet": (17, 3), "netlink": (16, 3), "key": (15, 3), "bluetooth": (31, 5),
                "raw": (2, 3, 1), "raw6": (10, 3, 58), "sctp": (2, 1, 132), "mptcp": (2, 1, 262), "tipc": (30, 1), "xdp": (44, 3),
            }.items()
        },
        "connect": {f"{h}:{p}": attempt(lambda: connect((h, p))) for h, p in [("169.254.169.254", 80), ("1.1.1.1", 53), ("172.17.0.1", 22)]},
        "resolve": attempt(lambda: socket.getaddrinfo("example.org", 443)),
        "signalRunner": [attempt(lambda: os.kill(1, s)) for s in (0, signal.SIGTERM, signal.SIGKILL)],
        "gateway": {
            "unlink": attempt(lambda: os.unlink(sock)),
            "rename": attempt(lambda: os.rename(sock, sock + ".old")),
            "chmod": attempt(lambda: os.chmod(sock, 0o777)),
            "replace": attempt(lambda: os.symlink("/work/x", "/gateway/y")),
        },
    }
`;

/**
 * Reports what the filter says to calls in a foreign ABI, and how much swap the machine has. Both ABIs reach the kernel
 * past a filter that only knows the numbers of x86-64: x32 marks its numbers with a bit, i386 enters by interrupt 0x80.
 */
export const machineReport = `
import ctypes, mmap, os

def x32():
    return ctypes.CDLL(None).syscall(ctypes.c_long(0x40000027))

def i386():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()

def outcome(call):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if call() > 0 else 1)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "killed by signal " + str(os.WTERMSIG(status))
    return "allowed" if os.WEXITSTATUS(status) == 0 else "refused"

def solve(task, target):
    machine = os.uname().machine
    abis = {"x32": outcome(x32), "i386": outcome(i386)} if machine == "x86_64" else {}
    swap = [line.split()[1] for line in open("/proc/meminfo") if line.startswith("SwapTotal:")]
    return {"machine": machine, "foreignAbis": abis, "swapTotalKb": int(swap[0]) if swap else 0}
`;

/** Calls the kernel by number and reports the error of each call; arguments that would do least harm. */
export const systemCalls = `
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
# Valid arguments for splice and tee: the filter answers EINVAL, and so would the kernel to invalid ones.
source, sink = os.pipe(), os.pipe()
os.write(source[1], b"x")
calls = {
    "io_uring_setup": (425, 1, 0), "add_key": (248, 0, 0, 0, 0, 0), "keyctl": (250, 0, 0), "request_key": (249, 0, 0, 0, 0),
    "userfaultfd": (323, 0), "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "process_vm_writev": (311, 1, 0, 0, 0, 0, 0), "unshare user": (272, 0x10000000),
    "unshare net": (272, 0x40000000), "setns": (308, 0, 0), "clone user": (56, 0x10000011, 0, 0, 0, 0), "clone pid": (56, 0x20000011, 0, 0, 0, 0),
    "mount": (165, 0, 0, 0, 0, 0), "umount2": (166, 0, 0), "fsopen": (430, 0, 0), "open_tree": (428, -100, 0, 0), "move_mount": (429, 0, 0, 0, 0, 0),
    "pivot_root": (155, 0, 0), "chroot": (161, 0), "personality": (135, 0x0040000), "shmget": (29, 0, 4096, 0o1600), "msgget": (68, 0, 0o1600),
    "semget": (64, 0, 1, 0o1600), "mq_open": (240, 0, 0o102, 0o600, 0), "memfd_create": (319, 0, 0), "splice": (275, source[0], 0, sink[1], 0, 1, 0),
    "tee": (276, source[0], sink[1], 1, 0),
    "vmsplice": (278, 0, 0, 0, 0), "sync": (162,), "kcmp": (312, 1, 1, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0), "open_by_handle_at": (304, 0, 0, 0),
    "init_module": (175, 0, 0, 0), "kexec_load": (246, 0, 0, 0, 0), "syslog": (103, 3, 0, 0), "quotactl": (179, 0, 0, 0, 0), "iopl": (172, 3),
    "settimeofday": (164, 0, 0), "reboot": (169, 0, 0, 0, 0), "swapon": (167, 0, 0), "sethostname": (170, 0, 0), "setuid": (105, 0), "setgid": (106, 0),
    "setgroups": (116, 0, 0), "modify_ldt": (154, 0, 0, 0), "acct": (163, 0), "io_setup": (206, 1, 0), "seccomp": (317, 0, 0, 0), "clone3": (435, 0, 0),
    "inotify_init1": (294, 0), "fcntl lease": (72, 0, 1024, 0), "fcntl notify": (72, 0, 1026, 1), "dccp socket": (41, 2, 6, 0),
}

# Numbers of every architecture but x86-64 that Linux has had since 2008.
generic = {
    "io_uring_setup": 425, "add_key": 217, "keyctl": 219, "request_key": 218, "userfaultfd": 282, "bpf": 280, "perf_event_open": 241,
    "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "unshare user": 97, "unshare net": 97, "setns": 268, "clone user": 220,
    "clone pid": 220, "mount": 40, "umount2": 39, "fsopen": 430, "open_tree": 428, "move_mount": 429, "pivot_root": 41, "chroot": 51,
    "personality": 92, "shmget": 194, "msgget": 186, "semget": 190, "mq_open": 180, "memfd_create": 279, "splice": 76, "tee": 77, "vmsplice": 75,
    "sync": 81, "kcmp": 272, "pidfd_getfd": 438, "open_by_handle_at": 265, "init_module": 105, "kexec_load": 104, "syslog": 116,
    "quotactl": 60, "settimeofday": 170, "reboot": 142, "swapon": 224, "sethostname": 161, "setuid": 146, "setgid": 144, "setgroups": 159,
    "acct": 89, "io_setup": 0, "seccomp": 277, "clone3": 435, "inotify_init1": 26, "fcntl lease": 25, "fcntl notify": 25, "dccp socket": 198,
}
if os.uname().machine != "x86_64":
    calls = {name: (number, *calls[name][1:]) for name, number in generic.items()}

def solve(task, target):
    results = {}
    for name, (number, *arguments) in calls.items():
        ctypes.set_errno(0)
        value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
        results[name] = "allowed" if value >= 0 else os.strerror(ctypes.get_errno())
    return results
`;
