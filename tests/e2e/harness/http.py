"""A small HTTP/1.1 client that shows and sends exactly the bytes it is told to."""

import dataclasses
import json
import select
import socket
import ssl
import time

from harness.sanitizers import patient


@dataclasses.dataclass
class Response:
    status: int
    headers: list
    body: bytes
    version: str = "HTTP/1.1"

    def header(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def json(self):
        return json.loads(self.body)

    def error_codes(self):
        return [error["code"] for error in self.json()["errors"]]


def parse_headers(block):
    headers = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return headers


def open_socket(address, seconds=10.0):
    """`address`: "host:port", "[v6]:port" or "unix:/path", as the daemon's log prints it."""
    seconds = patient(seconds)
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(seconds)
        connection.connect(address[len("unix:"):])
        return connection
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host.strip("[]"), int(port)), seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Connection:
    """One connection: send() raw bytes, receive() one answer at a time."""

    def __init__(self, address, seconds=10.0, tls=None, server_name="localhost"):
        self.socket = open_socket(address, seconds)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        """One byte per segment; stops early once the other side has answered or gone."""
        self.socket.setblocking(True)
        for index in range(len(data)):
            if self.has_answer():
                return
            try:
                self.socket.sendall(data[index:index + 1])
            except (BrokenPipeError, ConnectionResetError):
                return

    def has_answer(self, seconds=0.0):
        """Whether bytes (or the end) can be read now, or within `seconds`."""
        if self._unread:
            return True
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        return bool(select.select([self.socket], [], [], seconds)[0])

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._unread += data
        return bool(data)

    def receive(self):
        """The next answer that is not 1xx; None if the connection ended without one."""
        while True:
            response = self._receive_one()
            if response is None or response.status >= 200:
                return response

    def receive_interim(self):
        return self._receive_one()

    def _receive_one(self):
        while b"\r\n\r\n" not in self._unread:
            if not self._more():
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        start, _, block = head.partition(b"\r\n")
        version, status, *_ = start.split(b" ", 2)
        response = Response(int(status), parse_headers(block) if block else [], b"",
                            version.decode())
        if response.status >= 200 and response.status not in (204, 304):
            response.body = self._body(response)
        return response

    def _line(self):
        while b"\r\n" not in self._unread:
            if not self._more():
                break
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def _exactly(self, size):
        while len(self._unread) < size:
            if not self._more():
                break
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _chunks(self):
        body = b""
        while size := int(self._line() or b"0", 16):
            body += self._exactly(size)
            self._line()
        self._line()
        return body

    def _body(self, response):
        if response.header("Transfer-Encoding") == "chunked":
            return self._chunks()
        length = response.header("Content-Length")
        if length is None:
            while self._more():
                pass
            body, self._unread = self._unread, b""
            return body
        return self._exactly(int(length))

    def rest(self):
        """Everything up to the end of the connection."""
        while self._more():
            pass
        data, self._unread = self._unread, b""
        return data

    def is_closed_within(self, seconds):
        """Whether the other side ends the connection, with nothing further sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.has_answer(0.05):
                return not self._more()
        return False

    def request(self, method, target, body=b"", headers=()):
        self.send(request_bytes(method, target, body, headers))
        return self.receive()


def request_bytes(method, target, body=b"", headers=()):
    """A well-formed request, as most clients would write it."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append("Host: localhost")
    lines += [f"{name}: {value}" for name, value in headers]
    if "content-length" not in names and "transfer-encoding" not in names \
            and (body or method not in ("GET", "HEAD")):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def fetch(address, method, target, body=b"", headers=(), tls=None):
    """One request on a connection of its own."""
    with Connection(address, tls=tls) as connection:
        response = connection.request(method, target, body, (*headers, ("Connection", "close")))
        if response is None:
            raise AssertionError(f"{method} {target}: connection ended without an answer")
        return response
