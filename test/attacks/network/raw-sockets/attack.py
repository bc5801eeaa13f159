import errno
import socket

KINDS = {
    "icmp": (2, 3, 1), "icmp datagram": (2, 2, 1), "tcp": (2, 3, 6), "udp": (2, 3, 17), "raw": (2, 3, 255), "icmp6": (10, 3, 58), "icmp6 datagram": (10, 2, 58),
    "packet": (17, 3, 768), "packet datagram": (17, 2, 768), "sctp": (2, 1, 132), "mptcp": (2, 1, 262), "dccp": (2, 6, 33), "udplite": (2, 2, 136), "smc": (43, 1, 0),
}


def attempt(kind):
    try:
        socket.socket(*kind).close()
        return "opened"
    except OSError as error:
        return errno.errorcode[error.errno]


def solve(task, target):
    return {name: attempt(kind) for name, kind in KINDS.items()}
