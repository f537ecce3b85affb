"""A server that answers each connection as a test says, byte by byte."""

import json
import socket
import threading


class Scripted:
    """`scripts`: one function per connection, called with the connection and the request's head;
    the last one also serves all that come later."""

    def __init__(self, *scripts):
        self.requests = []
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number = len(self._connections)
            self._connections.append(connection)
            script = self._scripts[min(number, len(self._scripts) - 1)]
            thread = threading.Thread(target=self._serve, args=(connection, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection, script):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.requests.append(head.decode())
            script(connection, head.decode())
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)


def answer(status, body, headers=""):
    """A whole answer."""
    if not isinstance(body, bytes):
        body = body.encode()

    def script(connection, _):
        connection.sendall(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
                           .encode() + body)
    return script


def begin_stream(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                       b"Content-Type: application/x-ndjson\r\n\r\n")


def send_chunk(connection, text):
    data = text.encode()
    connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def send_frames(connection, *frames):
    for frame in frames:
        send_chunk(connection, json.dumps(frame) + "\n")


def end_stream(connection):
    connection.sendall(b"0\r\n\r\n")


def wait_for_hangup(connection):
    """Until the other side is gone."""
    while connection.recv(4096):
        pass
