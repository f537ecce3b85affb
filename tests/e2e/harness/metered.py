"""A receiver that takes its time for each request, and keeps of it no more than an id."""

import re
import socket
import threading
import time

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_ID = re.compile(rb'"id":"([^"]*)"')
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class MeteredReceiver:
    """One request after the other per connection, each of which takes `seconds`."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.ids = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        unread = b""
        with connection:
            while True:
                end = unread.find(b"\r\n\r\n")
                size = end + 4 + int(_LENGTH.search(unread)[1]) if end >= 0 else None
                if size is None or len(unread) < size:
                    data = connection.recv(1 << 16)
                    if not data:
                        return
                    unread += data
                    continue
                time.sleep(self.seconds)
                self.ids.append(_ID.search(unread, end)[1].decode())
                unread = unread[size:]
                connection.sendall(_ANSWER)
