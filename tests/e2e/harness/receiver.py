"""A webhook receiver that records raw requests and answers by script."""

import collections
import dataclasses
import json
import socket
import ssl
import struct
import threading
import time

from harness.http import parse_headers
from harness.wait import wait_until

_REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content"}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a receiver does with a request. `how`: answer, hang (says nothing until the other side
    gives up), reset (RST), close (FIN without an answer), raw (`body` is the whole answer), stream
    (sends what calling `pieces` yields, until that ends or the other side gives up). `idle`: so
    long after an answer the connection is closed, whatever has come meanwhile."""
    status: int = 200
    headers: tuple = ()
    body: bytes = b""
    delay: float = 0.0
    how: str = "answer"
    pieces: object = None
    idle: float | None = None

    def data(self):
        if self.how == "raw":
            return self.body
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


HANG = Answer(how="hang")
RESET = Answer(how="reset")
CLOSE = Answer(how="close")


@dataclasses.dataclass
class Received:
    raw: bytes
    method: str
    target: str
    version: str
    headers: list
    body: bytes
    connection: int
    at: float
    answer: Answer = Answer()

    @property
    def path(self):
        return self.target.partition("?")[0]

    def header(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def events(self):
        return json.loads(self.body)["events"]

    def event_ids(self):
        return [event["id"] for event in self.events()]


class Receiver:
    """Listens on a free port (or the given one); every path has its own script."""

    def __init__(self, port=0, tls=None):
        self._tls = tls
        self._lock = threading.Lock()
        self._received = []
        self._counts = collections.Counter()
        self._answers = {}
        self._connections = {}
        self._opened = 0
        self.tls_failures = 0
        self._is_open = True
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path="/hook", host="127.0.0.1"):
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def on(self, path, answer):
        """`answer`: an Answer, or a function of the Received request that returns one."""
        with self._lock:
            self._answers[path] = answer

    def script(self, path, answers, then=Answer()):
        """These answers in turn, an int standing for a status; afterwards always `then`."""
        todo = [Answer(status=a) if isinstance(a, int) else a for a in answers]

        def next_answer(_):
            return todo.pop(0) if todo else then
        self.on(path, next_answer)

    def received(self, path=None):
        with self._lock:
            return [r for r in self._received if path is None or r.path == path]

    def accepted_ids(self, path=None):
        """Ids of the events that were answered 2xx, in order of arrival."""
        return [event_id for r in self.received(path)
                if r.answer.how == "answer" and 200 <= r.answer.status < 300
                for event_id in r.event_ids()]

    def count(self, path=None):
        with self._lock:
            return len(self._received) if path is None else self._counts[path]

    def wait_for(self, count, path=None, seconds=10.0):
        """At least `count` requests; returns them."""
        wait_until(lambda: self.count(path) >= count, seconds,
                   lambda: f"{count} requests at {path}, {self.count(path)} came")
        return self.received(path)

    def connections_opened(self):
        with self._lock:
            return self._opened

    def close(self):
        """Stops listening and cuts all connections off."""
        with self._lock:
            self._is_open = False
            connections = list(self._connections.values())
        # Without shutdown() a thread that blocks in accept() would keep the port alive.
        _quietly(self._listener.shutdown, socket.SHUT_RDWR)
        self._listener.close()
        for connection in connections:
            _quietly(connection.shutdown, socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._is_open:
                    connection.close()
                    return
                self._opened += 1
                number = self._opened
                self._connections[number] = connection
            threading.Thread(target=self._serve, args=(number, connection), daemon=True).start()

    def _serve(self, number, connection):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._connections[number] = connection
            self._serve_requests(number, connection)
        except ssl.SSLError:
            with self._lock:
                self.tls_failures += 1
        except OSError:
            pass
        finally:
            with self._lock:
                self._connections.pop(number, None)
            connection.close()

    def _serve_requests(self, number, connection):
        unread = b""
        while True:
            while b"\r\n\r\n" not in unread:
                data = connection.recv(65536)
                if not data:
                    return
                unread += data
            begun_at = time.monotonic()
            head, _, _ = unread.partition(b"\r\n\r\n")
            start, _, block = head.partition(b"\r\n")
            headers = parse_headers(block)
            length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
            size = len(head) + 4 + length
            while len(unread) < size:
                data = connection.recv(1 << 20)
                if not data:
                    return
                unread += data
            raw, unread = unread[:size], unread[size:]
            method, target, version = start.decode("latin-1").split(" ")
            request = Received(raw, method, target, version, headers, raw[len(head) + 4:],
                               number, begun_at)
            if not self._answer(connection, request):
                return

    def _answer(self, connection, request):
        with self._lock:
            answer = self._answers.get(request.path, Answer())
            if callable(answer):
                answer = answer(request)
            request.answer = answer
            self._received.append(request)
            self._counts[request.path] += 1
        if answer.how == "hang":
            connection.recv(1)
            return False
        if answer.delay:
            time.sleep(answer.delay)
        if answer.how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if answer.how == "close":
            return False
        if answer.how == "stream":
            for piece in answer.pieces():
                connection.sendall(piece)
            return False
        connection.sendall(answer.data())
        if answer.idle is not None:
            time.sleep(answer.idle)
            return False
        return answer.how == "answer" and \
            ("Connection", "close") not in answer.headers


def _quietly(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass
