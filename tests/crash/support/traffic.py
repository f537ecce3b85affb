"""Senders that never give up, and receivers that note all they get."""

import socket
import sys
import threading
import time

from harness.http import Connection, request_bytes

sys.setswitchinterval(0.001)  # threads that wait for sockets take turns with each other


class Senders:
    """Threads that post events, each one request at a time, until closed. Where to: `target`, which
    may change, or be None while there is nowhere. What is not answered with 202 is not sent again:
    the next events are. `rate`: posts in a second, of all; None: as fast as they can."""

    def __init__(self, ledger, count=6, events=(1, 1, 1, 3), rate=None):
        self.ledger = ledger
        self.target = None
        self.statuses = []  # (when it was answered, status, how long that took, Retry-After)
        self._events = events
        self._pause = count / rate if rate else 0.0
        self._is_open = True
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True)
                         for n in range(count)]
        for thread in self._threads:
            thread.start()

    def close(self):
        self._is_open = False
        for thread in self._threads:
            thread.join(20)

    def answered(self, status, since=0.0):
        return [entry for entry in list(self.statuses)
                if entry[1] == status and entry[0] >= since]

    def _run(self, turn):
        connection, address = None, None
        while self._is_open:
            target = self.target
            if target is None:
                time.sleep(0.002)
                continue
            status = None
            try:
                if connection is None or address != target:
                    connection, address = _connect_anew(connection, target), target
                status = self._post(connection, self._events[turn % len(self._events)])
                turn += 1
            except OSError:
                pass
            if status is None:
                connection = _close(connection)
            if status != 202:
                time.sleep(0.005)
            if self._pause:
                time.sleep(self._pause)
        _close(connection)

    def _post(self, connection, count):
        numbers = self.ledger.new(count)
        body = self.ledger.envelope(numbers)
        begun = time.monotonic()
        answer = connection.request("POST", "/events", body,
                                    (("Content-Type", "application/json"),))
        now = time.monotonic()
        if answer is None:
            return None
        if answer.status == 202:
            self.ledger.promise(numbers)
        self.statuses.append((now, answer.status, now - begun, answer.header("Retry-After")))
        return answer.status


def _connect_anew(connection, target):
    _close(connection)
    return Connection(target, seconds=15)


def _close(connection):
    if connection is not None:
        connection.close()


def post(address, ledger, count=1):
    """One request: (status, its numbers)."""
    numbers = ledger.new(count)
    with Connection(address) as connection:
        connection.send(request_bytes("POST", "/events", ledger.envelope(numbers),
                                      (("Content-Type", "application/json"),)))
        answer = connection.receive()
    if answer is not None and answer.status == 202:
        ledger.promise(numbers)
    return (answer.status if answer else None), numbers


_OK = b"HTTP/1.1 204 No Content\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class Target:
    """What an endpoint points to: it notes what it gets in the ledger under its name. `delay`: of
    its answers. `after_answer`: called with the numbers once it has answered. `is_refusing`: it
    says 503, and notes nothing."""

    def __init__(self, ledger, name, port=0, delay=0.0):
        self.ledger, self.name, self.delay = ledger, name, delay
        self.after_answer = None
        self.is_refusing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/{self.name}"

    def close(self):
        with self._lock:
            sockets = [self._listener, *self._connections]
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._lock:
            self._connections.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve_requests(connection)
        except OSError:
            pass
        with self._lock:
            self._connections.discard(connection)
        connection.close()

    def _serve_requests(self, connection):
        unread = b""
        while True:
            while (end := unread.find(b"\r\n\r\n")) < 0:
                data = connection.recv(1 << 16)
                if not data:
                    return
                unread += data
            head = unread[:end].lower()
            at = head.index(b"\r\ncontent-length:") + len(b"\r\ncontent-length:")
            size = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
            while len(unread) < size:
                data = connection.recv(1 << 16)
                if not data:
                    return
                unread += data
            self._answer(connection, unread[end + 4:size])
            unread = unread[size:]

    def _answer(self, connection, body):
        if self.is_refusing:
            connection.sendall(_BUSY)
            return
        numbers = self.ledger.receive(self.name, body)
        if self.delay:
            time.sleep(self.delay)
        connection.sendall(_OK)
        if self.after_answer is not None:
            self.after_answer(numbers)
