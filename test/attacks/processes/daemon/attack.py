import os
import socket
import time


def daemon(number):
    if os.fork() != 0:
        return
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 9000 + number))
    listener.listen()
    while True:
        with open(f"/work/alive-{number}", "w") as file:
            file.write("alive")
        time.sleep(0.001)


def solve(task, target):
    if task["input"] == "look":
        uid = os.getuid()
        others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid() and os.stat(f"/proc/{name}").st_uid == uid]
        try:
            socket.create_connection(("127.0.0.1", 9000), 1)
            reached = "reached"
        except ConnectionRefusedError:
            reached = "refused"
        return [others, os.listdir("/work"), reached]
    for number in range(4):
        daemon(number)
    while len(os.listdir("/work")) < 4:
        time.sleep(0.001)
    return "left behind"
