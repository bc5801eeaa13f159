import os


def solve(task, target):
    lines = open("/proc/net/route").read().splitlines()[1:]
    routes6 = {line.split()[-1] for line in open("/proc/net/ipv6_route")} if os.path.exists("/proc/net/ipv6_route") else {"lo"}
    return {
        "devices": sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line),
        "routes": len(lines),
        "routes6": sorted(routes6 or {"lo"}),
        "neighbours": len(open("/proc/net/arp").read().splitlines()) - 1,
    }
