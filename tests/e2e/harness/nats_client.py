"""A small NATS client for tests, which looks at streams and consumers from beside: one connection,
one request at a time."""

import base64
import json
import socket
import time


class NatsError(Exception):
    """The server has refused a request; `code` is JetStream's own number."""

    def __init__(self, error):
        super().__init__(error.get("description", str(error)))
        self.code = error.get("err_code", error.get("code"))


class Message:
    """One message, as it was published or as it lies in a stream."""

    def __init__(self, subject, data, headers=None, reply=None, seq=None):
        self.subject, self.data, self.reply, self.seq = subject, data, reply, seq
        self.headers = headers or {}
        self.status = None

    def __repr__(self):
        return f"Message({self.subject!r}, {self.seq}, {self.headers}, {self.data[:80]!r})"


class NatsClient:
    """Speaks the protocol itself. Not for several threads."""

    def __init__(self, address, seconds=10.0):
        host, _, port = address.removeprefix("nats://").rpartition(":")
        self._seconds = seconds
        self._socket = socket.create_connection((host, int(port)), seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self._next_inbox = 0
        self.bytes_read = self.bytes_written = 0
        self.info = json.loads(self._line().removeprefix(b"INFO "))
        self._send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,'
                   b'"no_responders":true,"lang":"test","version":"0"}\r\nPING\r\n')
        while self._line() != b"PONG":
            pass
        self._inbox = f"_INBOX.test{id(self):x}{time.monotonic_ns():x}"
        self._send(f"SUB {self._inbox}.> 1\r\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    # What goes over the line.

    def _send(self, data):
        self.bytes_written += len(data)
        self._socket.sendall(data)

    def _more(self):
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.bytes_read += len(data)
        self._unread += data

    def _line(self):
        while b"\r\n" not in self._unread:
            self._more()
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def _exactly(self, size):
        while len(self._unread) < size + 2:
            self._more()
        data, self._unread = self._unread[:size], self._unread[size + 2:]
        return data

    def next_message(self, seconds=None):
        """The next message to any of our inboxes."""
        self._socket.settimeout(seconds or self._seconds)
        while True:
            line = self._line()
            words = line.split(b" ")
            if words[0] == b"PING":
                self._send(b"PONG\r\n")
            elif words[0] == b"MSG":
                return Message(words[1].decode(), self._exactly(int(words[-1])),
                               reply=words[3].decode() if len(words) == 5 else None)
            elif words[0] == b"HMSG":
                return self._with_headers(words)
            elif words[0] == b"-ERR":
                raise ConnectionError(line.decode())

    def _with_headers(self, words):
        head_bytes, all_bytes = int(words[-2]), int(words[-1])
        block = self._exactly(all_bytes)
        headers, status = parse_headers(block[:head_bytes])
        message = Message(words[1].decode(), block[head_bytes:], headers,
                          words[3].decode() if len(words) == 6 else None)
        message.status = status
        return message

    def publish_only(self, subject, data=b"", reply="", headers=None):
        """Without waiting for anything."""
        self._send(publish_bytes(subject, data, reply, headers))

    def new_inbox(self):
        self._next_inbox += 1
        return f"{self._inbox}.{self._next_inbox}"

    def request(self, subject, data=b"", headers=None, seconds=None):
        """The answer; ConnectionError if nobody listens, TimeoutError if nobody says anything."""
        inbox = self.new_inbox()
        self.publish_only(subject, data, inbox, headers)
        deadline = time.monotonic() + (seconds or self._seconds)
        while True:
            answer = self.next_message(max(0.01, deadline - time.monotonic()))
            if answer.subject == inbox:
                if answer.status == 503:
                    raise ConnectionError(f"nobody answers {subject}")
                return answer

    # JetStream.

    def api(self, subject, body=None, seconds=None):
        """An answer of JetStream's API as a mapping; NatsError if it is an error."""
        data = b"" if body is None else json.dumps(body).encode()
        answer = json.loads(self.request(f"$JS.API.{subject}", data, seconds=seconds).data)
        if "error" in answer:
            raise NatsError(answer["error"])
        return answer

    def publish(self, subject, data=b"", headers=None, seconds=None):
        """Into a stream: its acknowledgement, {"stream", "seq"} and perhaps "duplicate"."""
        answer = json.loads(self.request(subject, data, headers, seconds).data)
        if "error" in answer:
            raise NatsError(answer["error"])
        return answer

    def _all(self, subject, key):
        found = []
        while True:
            page = self.api(subject, {"offset": len(found)})
            found += page[key] or []
            if len(found) >= page["total"] or not page[key]:
                return found

    def streams(self):
        """Names."""
        return sorted(self._all("STREAM.NAMES", "streams"))

    def stream(self, name):
        """Its config, state and cluster."""
        return self.api(f"STREAM.INFO.{name}")

    def consumers(self, stream):
        """Each consumer's figures, by its name."""
        return {one["name"]: one for one in self._all(f"CONSUMER.LIST.{stream}", "consumers")}

    def consumer(self, stream, name):
        return self.api(f"CONSUMER.INFO.{stream}.{name}")

    def message(self, stream, seq):
        """What lies in the stream at this seq."""
        return _stored(self.api(f"STREAM.MSG.GET.{stream}", {"seq": seq})["message"])

    def last_message(self, stream, subject):
        body = {"last_by_subj": subject}
        return _stored(self.api(f"STREAM.MSG.GET.{stream}", body)["message"])

    def pull(self, stream, consumer, count=1, seconds=2.0):
        """Up to so many messages, each with the `reply` that settles it."""
        body = {"batch": count, "expires": int(seconds * 1e9)}
        self.publish_only(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
                          json.dumps(body).encode(), self.new_inbox())
        found = []
        while len(found) < count:
            message = self.next_message(seconds + 1)
            if message.status is not None:
                break
            # What is delivered has the subject that it was published to.
            if (message.reply or "").startswith("$JS.ACK."):
                found.append(message)
        return found

    def settle(self, message, how=b"+ACK"):
        """Acknowledges it (or `-NAK`, `+WPI`, `+TERM`), and waits until that is known."""
        self.request(message.reply, how)

    def messages(self, stream):
        """All that lie in the stream, oldest first."""
        state = self.stream(stream)["state"]
        found = []
        for seq in range(max(1, state["first_seq"]), state["last_seq"] + 1):
            try:
                found.append(self.message(stream, seq))
            except NatsError as error:
                if error.code != 10037:  # there is no such message
                    raise
        return found

    def key_values(self, bucket):
        """What a bucket holds: texts by key."""
        found = {}
        for message in self.messages(f"KV_{bucket}"):
            key = message.subject.removeprefix(f"$KV.{bucket}.")
            if message.headers.get("KV-Operation") in ("DEL", "PURGE"):
                found.pop(key, None)
            else:
                found[key] = message.data.decode()
        return found


def publish_bytes(subject, data, reply="", headers=None):
    reply = f"{reply} " if reply else ""
    if not headers:
        return f"PUB {subject} {reply}{len(data)}\r\n".encode() + data + b"\r\n"
    block = "NATS/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
    block = block.encode()
    sizes = f"{len(block)} {len(block) + len(data)}"
    return f"HPUB {subject} {reply}{sizes}\r\n".encode() + block + data + b"\r\n"


def parse_headers(block):
    """Headers of a message, and its status, which few have."""
    first, *lines = block.decode("latin-1").split("\r\n")
    status = first.removeprefix("NATS/1.0").split()
    headers = dict(line.split(":", 1) for line in lines if line)
    return ({name: value.strip() for name, value in headers.items()},
            int(status[0]) if status else None)


def _stored(message):
    headers = {}
    if "hdrs" in message:
        headers, _ = parse_headers(base64.b64decode(message["hdrs"]))
    return Message(message["subject"], base64.b64decode(message.get("data", "")), headers,
                   seq=message["seq"])
