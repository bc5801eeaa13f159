import os
import socket


def solve(task, target):
    os.mkdir("/work/artifacts")
    for number in range(40):
        os.mkfifo(f"/work/artifacts/{number}.fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/work/artifacts/a.sock")
    listener.listen()
    with open("/work/artifacts/z.txt", "w") as file:
        file.write("a file")
    return "waiting"
