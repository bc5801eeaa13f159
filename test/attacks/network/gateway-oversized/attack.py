import json
import socket


def send(head, block, count):
    """Writes `block` again and again until it is all there or nobody takes it any more."""
    with socket.create_connection(("127.0.0.1", 8080), 5) as one:
        try:
            one.sendall(head)
            for _ in range(count):
                one.sendall(block)
            one.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            line = one.recv(4096).split(b"\r\n")[0].decode("latin-1")
        except OSError:
            line = ""
        return line.split(" ")[1] if line.startswith("HTTP/") else "closed"


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    post = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    opening = b'{"model":"keeper","messages":[{"role":"user","content":"'
    deep = b'{"model":"keeper","messages":' + b"[" * 100_000
    return {
        "length": send(post + b"content-length: 999999999\r\n\r\n" + opening, b"x" * 65536, 1024),
        "chunks": send(post + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", 1024),
        "headers": send(post, b"x-padding: " + b"y" * 4000 + b"\r\n", 1024),
        "one header": send(post + b"x-padding: ", b"y" * 65536, 256),
        "depth": send(post + b"content-length: " + str(len(deep)).encode() + b"\r\n\r\n", deep, 1),
        "line": send(b"POST /", b"z" * 65536, 64),
    }
