import os
import socket
import time


def solve(task, target):
    if task["input"] == "look":
        return target.chat([{"role": "user", "content": "look"}])
    if os.fork() == 0:
        os.setsid()
        one = socket.create_connection(("127.0.0.1", 8080))
        body = b'{"model":"keeper","messages":[{"role":"user","content":"late"}]}'
        one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        one.sendall(b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body[:-1])
        open("/work/half", "w").close()
        time.sleep(1)
        one.sendall(body[-1:])
        time.sleep(60)
    while not os.path.exists("/work/half"):
        time.sleep(0.001)
    return "begun"
