"""Who was promised what, and what came: the oracle of every crash test."""

import collections
import hashlib
import re
import threading
import time

_ID = re.compile(rb'"id":"(\w+)-(\d+)"')


class Ledger:
    """Events have numbers, and all of an event follows from its number. Any thread."""

    def __init__(self, name="e", fill=None):
        """`fill`: how long a text in each event is; else it varies."""
        self._name = name
        self._fill = fill
        self._lock = threading.Lock()
        self._next = 0
        self.promised = {}    # when the sender saw 202, by number
        self.first_at = {}    # by endpoint: when it came first, by number
        self.deliveries = collections.defaultdict(collections.Counter)  # by endpoint, of numbers
        self.wrong = []       # what came and was never sent, or not like that

    def payload(self, number):
        digest = hashlib.blake2s(b"%d" % number).hexdigest()
        size = self._fill if self._fill is not None else 40 + number * 7919 % 1400
        text = (digest * (size // len(digest) + 1))[:size]
        return (f'{{"id":"{self._name}-{number}","action":"push","fill":"{text}"}}').encode()

    def fork(self, promised):
        """The same events, of which these are promised, and none is received."""
        other = Ledger(self._name, self._fill)
        other._next = self._next
        other.promise(promised)
        return other

    def new(self, count):
        """Numbers of events that are about to be sent."""
        with self._lock:
            first = self._next
            self._next += count
        return range(first, first + count)

    @property
    def sent(self):
        return self._next

    def envelope(self, numbers):
        return b'{"events":[' + b",".join(map(self.payload, numbers)) + b"]}"

    def promise(self, numbers):
        now = time.monotonic()
        with self._lock:
            for number in numbers:
                self.promised[number] = now

    def receive(self, endpoint, body):
        """The numbers of the events in a webhook."""
        now = time.monotonic()
        found = _ID.findall(body)
        numbers = [int(number) for _, number in found]
        is_right = all(number < self._next for number in numbers) \
            and all(name == self._name.encode() for name, _ in found) \
            and body == self.envelope(numbers)
        with self._lock:
            if not is_right:
                self.wrong.append((endpoint, body))
            for number in numbers:
                self.deliveries[endpoint][number] += 1
                self.first_at.setdefault(endpoint, {}).setdefault(number, now)
        return numbers

    def missing(self, endpoint):
        """Promised and not received."""
        with self._lock:
            return sorted(self.promised.keys() - self.deliveries[endpoint].keys())

    def received(self, endpoint):
        with self._lock:
            return set(self.deliveries[endpoint])

    def repeats(self, endpoint):
        with self._lock:
            return self.deliveries[endpoint].total() - len(self.deliveries[endpoint])

    def owed(self, endpoint, moment):
        """What had been promised at a moment, and not been received."""
        with self._lock:
            first_at = self.first_at.get(endpoint, {})
            return {number for number, at in self.promised.items()
                    if at <= moment < first_at.get(number, float("inf"))}
