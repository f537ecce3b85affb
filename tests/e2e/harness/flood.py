"""Posts single events at a steady rate and tells what became of them, as JSON on stdout. A program
of its own, so that it does not share an interpreter with the test:

    python3 flood.py HOST:PORT PER_SECOND SECONDS BYTES PREFIX
"""

import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness.http import Connection  # noqa: E402

CONNECTIONS = 4


class Sender(threading.Thread):
    """One connection's share of the events, which have ids <prefix><connection>-<number>."""

    def __init__(self, address, rate, seconds, size, prefix):
        super().__init__()
        self.address = address
        self.interval = 1 / rate
        self.seconds = seconds
        self.size = size
        self.prefix = prefix
        self.accepted = []
        self.refused_ms = []
        self.others = []

    def run(self):
        with Connection(self.address) as connection:
            begun = time.monotonic()
            number = 0
            while (due := begun + number * self.interval) < begun + self.seconds:
                time.sleep(max(0, due - time.monotonic()))
                self.post(connection, f"{self.prefix}-{number}")
                number += 1
                if time.monotonic() > begun + self.seconds:
                    break

    def post(self, connection, event_id):
        head = b'{"id":"' + event_id.encode() + b'","filler":"'
        body = head + b"x" * (self.size - len(head) - 2) + b'"}'
        begun = time.monotonic()
        answer = connection.request("POST", "/events", body,
                                    (("Content-Type", "application/json"),))
        took = (time.monotonic() - begun) * 1000
        if answer.status == 202:
            self.accepted.append(event_id)
        elif answer.status == 503 and answer.header("Retry-After"):
            self.refused_ms.append(took)
        else:
            self.others.append(answer.status)


def main():
    address, rate, seconds, size, prefix = sys.argv[1:]
    senders = [Sender(address, float(rate) / CONNECTIONS, float(seconds), int(size),
                      f"{prefix}{number}") for number in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    json.dump({name: sum((getattr(sender, name) for sender in senders), [])
               for name in ("accepted", "refused_ms", "others")}, sys.stdout)


main()
