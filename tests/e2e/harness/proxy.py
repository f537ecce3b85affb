"""A proxy that makes tunnels, and remembers who asked for what."""

import socket
import threading

from harness.http import parse_headers


class TunnelProxy:
    """Does as it is asked by CONNECT; or gives `answer`, raw bytes or a function that yields some,
    and hangs up. `silent`: takes connections and says nothing."""

    def __init__(self, answer=None, silent=False):
        self._answer = answer
        self._silent = silent
        self._lock = threading.Lock()
        self._asked = []
        self._opened = 0
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, userinfo=""):
        return f"http://{userinfo}127.0.0.1:{self.port}"

    def asked(self):
        """(request line, headers) of each request."""
        with self._lock:
            return list(self._asked)

    def connections_opened(self):
        with self._lock:
            return self._opened

    def close(self):
        with self._lock:
            sockets = [self._listener, *self._sockets]
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._opened += 1
                self._sockets.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._serve_one(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def _serve_one(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        start, _, block = head.partition(b"\r\n\r\n")[0].partition(b"\r\n")
        with self._lock:
            self._asked.append((start.decode(), dict(parse_headers(block))))
        if self._silent:
            connection.recv(1)
            return
        if self._answer is not None:
            pieces = self._answer() if callable(self._answer) else [self._answer]
            for piece in pieces:
                connection.sendall(piece)
            return
        host, _, port = start.split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
            back.start()
            _copy(connection, upstream)
            back.join()


def _copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
