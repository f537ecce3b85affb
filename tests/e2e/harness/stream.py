"""A reader of `/v1/events/stream`: keeps what comes, frame by frame."""

import json
import socket
import threading

from harness.wait import wait_until

KNOWN = {"hello", "event", "gap", "ping", "close"}


class Stream:
    """Reads NDJSON, or SSE, on a thread of its own until the other side ends or close() is called.
    `source`: the address that it comes from; `host`: the Host field, if not the address."""

    def __init__(self, address, query="", headers=(), source=None, version="1.1", host=None):
        self.may_read = threading.Event()  # cleared: nothing is read for a while
        self.may_read.set()
        name, port = address.rsplit(":", 1)
        self.frames = []
        self.raw = b""
        self.head = b""
        self.is_ended = False
        self.error = None
        self._body = b""
        self._seen = 0
        self._is_sse = False
        self._socket = socket.create_connection(
            (name, int(port)), 10, source_address=(source, 0) if source else None)
        target = "/v1/events/stream" + (f"?{query}" if query else "")
        lines = [f"GET {target} HTTP/{version}", f"Host: {host or address}", *headers, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_until(lambda: self.head or self.is_ended, 10, "the head of the stream")

    @property
    def status(self):
        return int(self.head.split(b" ", 2)[1]) if self.head else None

    def _read(self):
        try:
            while True:
                self.may_read.wait()
                data = self._socket.recv(65536)
                if not data:
                    break
                self.raw += data
                self._take()
        except OSError as error:
            self.error = error
        self.is_ended = True

    def _take(self):
        if not self.head:
            end = self.raw.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head, self._rest = self.raw[:end], self.raw[end + 4:]
            self._is_sse = b"text/event-stream" in self.head
            self._is_chunked = b"chunked" in self.head
        else:
            self._rest += self.raw[self._seen:]
        self._seen = len(self.raw)
        self._unchunk()
        separator = b"\n\n" if self._is_sse else b"\n"
        while separator in self._body:
            text, self._body = self._body.split(separator, 1)
            self.frames.append(_sse(text) if self._is_sse else json.loads(text))

    def _unchunk(self):
        if not self._is_chunked:
            self._body, self._rest = self._body + self._rest, b""
            return
        while b"\r\n" in self._rest:
            size, behind = self._rest.split(b"\r\n", 1)
            length = int(size, 16)
            if len(behind) < length + 2:
                return
            self._body += behind[:length]
            self._rest = behind[length + 2:]

    def of_type(self, kind):
        return [frame for frame in list(self.frames) if frame.get("type") == kind]

    def seqs(self):
        return [frame["seq"] for frame in list(self.frames) if "seq" in frame]

    def wait_seqs(self, expected, seconds=10):
        wait_until(lambda: self.seqs() == expected, seconds,
                   lambda: f"{expected}: {self.seqs()}")

    def wait_frame(self, kind, seconds=10):
        return wait_until(lambda: self.of_type(kind), seconds,
                          lambda: f"{kind} among {self.frames[-5:]}")[0]

    def wait_end(self, seconds=10):
        wait_until(lambda: self.is_ended, seconds, "the end of the stream")

    def close(self):
        self.may_read.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._thread.join(10)


def _sse(text):
    """One block of server-sent events, with its JSON merged in."""
    frame = {"comment": None}
    for line in text.decode().split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            frame["comment"] = value
        elif name == "data":
            frame.update(json.loads(value))
        else:
            frame["sse_" + name] = value
    return frame
