import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call by its number on x86-64, and the name of its error."""
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(one) for one in arguments])
    return f"allowed: {value}" if value >= 0 else errno.errorcode[ctypes.get_errno()]


CALLS = {
    "io_uring_setup": (425, 1, 0), "io_uring_enter": (426, 0, 0, 0, 0), "io_uring_register": (427, 0, 0, 0, 0), "add_key": (248, 0, 0, 0, 0, 0),
    "request_key": (249, 0, 0, 0, 0), "keyctl": (250, 0, 0), "userfaultfd": (323, 0), "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0),
    "fanotify_init": (300, 0, 0), "fanotify_mark": (301, 0, 0, 0, 0, 0), "memfd_create": (319, 0, 0), "memfd_secret": (447, 0), "vmsplice": (278, 0, 0, 0, 0), "kcmp": (312, 1, 1, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0), "open_by_handle_at": (304, 0, 0, 0),
    "name_to_handle_at": (303, 0, 0, 0, 0, 0), "init_module": (175, 0, 0, 0), "finit_module": (313, 0, 0, 0), "delete_module": (176, 0, 0), "kexec_load": (246, 0, 0, 0, 0),
    "kexec_file_load": (320, 0, 0, 0, 0, 0), "syslog": (103, 3, 0, 0), "quotactl": (179, 0, 0, 0, 0), "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "settimeofday": (164, 0, 0),
    "clock_settime": (227, 0, 0), "clock_adjtime": (305, 0, 0), "adjtimex": (159, 0), "reboot": (169, 0, 0, 0, 0), "swapon": (167, 0, 0), "swapoff": (168, 0),
    "sethostname": (170, 0, 0), "setdomainname": (171, 0, 0), "modify_ldt": (154, 0, 0, 0), "acct": (163, 0), "io_setup": (206, 1, 0), "seccomp": (317, 0, 0, 0),
    "shmget": (29, 0, 4096, 0o1600), "shmat": (30, 0, 0, 0), "semget": (64, 0, 1, 0o1600), "msgget": (68, 0, 0o1600), "mq_open": (240, 0, 0o102, 0o600, 0),
    "mq_unlink": (241, 0), "lookup_dcookie": (212, 0, 0, 0), "vhangup": (153,), "nfsservctl": (180, 0, 0, 0), "uselib": (134, 0), "ustat": (136, 0, 0), "sysfs": (139, 0, 0, 0),
    "get_kernel_syms": (177, 0), "create_module": (174, 0, 0), "move_pages": (279, 0, 0, 0, 0, 0, 0), "migrate_pages": (256, 0, 0, 0, 0), "mbind": (237, 0, 0, 0, 0, 0, 0),
    "set_mempolicy": (238, 0, 0, 0), "process_madvise": (440, 0, 0, 0, 0, 0), "process_mrelease": (448, 0, 0), "landlock_create_ruleset": (444, 0, 0, 1),
    "pidfd_getfd of init": (438, 3, 0, 0), "remap_file_pages": (216, 0, 0, 0, 0, 0), "ptrace": (101, 0, 0, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "process_vm_writev": (311, 1, 0, 0, 0, 0, 0), "personality": (135, 0x0040000), "clone3": (435, 0, 0), "mount_setattr": (442, 0, 0, 0, 0, 0), "statmount": (457, 0, 0, 0, 0),
    "sched_setscheduler": (144, 0, 1, 0), "sched_setattr": (314, 0, 0, 0), "ioprio_set": (251, 1, 0, 0), "setxattr": (188, 0, 0, 0, 0, 0), "map_shadow_stack": (453, 0, 0, 0),
    "lsm_set_self_attr": (460, 0, 0, 0, 0), "no such call": (9999,),
}


def solve(task, target):
    return {name: call(*arguments) for name, arguments in CALLS.items()}
