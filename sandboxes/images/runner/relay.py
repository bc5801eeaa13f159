"""The forwarder of a `python` sandbox; part of runner.py."""

import selectors
import socket

GATEWAY = "/gateway/gateway.sock"
RELAY_BYTES = 65536


class Relay:
    """One connection of the program, carried to the gateway's socket and back without looking at it."""

    def __init__(self, runner, client):
        self.runner = runner
        runner.relays.add(self)
        upstream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.ends = (client, upstream)
        self.waiting = {client: bytearray(), upstream: bytearray()}
        self.ended = {client: False, upstream: False}
        try:
            upstream.connect(GATEWAY)
        except OSError:
            self.ended = {client: True, upstream: True}
        for end in self.ends:
            end.setblocking(False)
            runner.selector.register(end, selectors.EVENT_READ, self)
        self.watch()

    def other(self, end):
        return self.ends[1] if end is self.ends[0] else self.ends[0]

    def ready(self, end, mask):
        try:
            if mask & selectors.EVENT_READ:
                self.receive(end)
            if mask & selectors.EVENT_WRITE:
                self.send(end)
        except BlockingIOError:
            pass
        except OSError:
            return self.close()
        self.watch()

    def receive(self, end):
        data = end.recv(RELAY_BYTES)
        if data:
            self.waiting[self.other(end)] += data
        else:
            self.ended[end] = True
        self.send(self.other(end))

    def send(self, end):
        waiting = self.waiting[end]
        if waiting:
            del waiting[: end.send(waiting)]
        if not waiting and self.ended[self.other(end)]:
            end.shutdown(socket.SHUT_WR)

    def watch(self):
        if all(self.ended.values()) and not any(self.waiting.values()):
            return self.close()
        for end in self.ends:
            wanted = 0
            if not self.ended[end] and len(self.waiting[self.other(end)]) < RELAY_BYTES:
                wanted |= selectors.EVENT_READ
            if self.waiting[end]:
                wanted |= selectors.EVENT_WRITE
            self.runner.watch(end, wanted, self)

    def close(self):
        if self not in self.runner.relays:
            return
        self.runner.relays.discard(self)
        for end in self.ends:
            self.runner.watch(end, 0, self)
            end.close()
