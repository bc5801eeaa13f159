import errno
import glob
import os

PATHS = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/kernel/randomize_va_space", "/proc/sys/vm/overcommit_memory",
         "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/irq/0/smp_affinity", "/proc/bus/pci/00/00.0",
         "/proc/acpi/wakeup", "/proc/scsi/scsi", "/proc/1/oom_score_adj", "/proc/1/cgroup", "/proc/self/setgroups", "/proc/self/gid_map", "/proc/self/projid_map", "/proc/keys",
         "/proc/timer_list", "/proc/latency_stats", "/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state", "/sys/fs/bpf/x", "/sys/fs/selinux/enforce",
         "/sys/devices/system/cpu/cpu1/online", "/sys/module/apparmor/parameters/mode", "/sys/kernel/security/apparmor/.load", "/sys/firmware/efi/efivars/x", "/sys/fs/cgroup/release_agent",
         "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/new"]
GROUPS = ["/sys/fs/cgroup/*/release_agent", "/sys/fs/cgroup/*/memory.limit_in_bytes", "/sys/fs/cgroup/*/pids.max", "/sys/fs/cgroup/*/cgroup.procs", "/sys/fs/cgroup/*/devices.allow",
          "/sys/fs/cgroup/*.max", "/sys/fs/cgroup/*/tasks", "/sys/fs/cgroup/*/notify_on_release", "/sys/fs/cgroup/*/cpu.cfs_quota_us"]
# Anybody may write these and learns or changes nothing by it: they are masked by /dev/null.
MASKED = {"/proc/keys", "/proc/timer_list", "/proc/latency_stats"}


def write(path):
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        if path in MASKED and os.fstat(fd).st_rdev == os.makedev(1, 3):
            return "EACCES"
        # The own maps can be opened by everybody; what counts is whether something can be written.
        if path.startswith("/proc/self/"):
            os.write(fd, b"0 0 1")
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(fd)


def make(path):
    try:
        os.mkdir(path)
        return "made"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    results = {path: write(path) for path in [*PATHS, *[one for pattern in GROUPS for one in glob.glob(pattern)]]}
    results |= {f"folder {path}": make(f"{path}/own") for path in glob.glob("/sys/fs/cgroup/*") if os.path.isdir(path)}
    return results
