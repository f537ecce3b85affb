"""Replicas and servers that come and go under load, and what has to hold all the while."""

import itertools
import os
import random
import threading
import time

from harness.nats_case import STREAM, NatsCase
from harness.wait import wait_until
from support.ledger import Ledger
from support.traffic import Senders, Target

KEYS = 64
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class KeyedLedger(Ledger):
    """Its events have a key each, which follows from the number, too."""

    def payload(self, number):
        return b'{"key":"k%d",' % self.key(number) + super().payload(number)[1:]

    @staticmethod
    def key(number):
        return number % KEYS


class OrderedTarget(Target):
    """Remembers in which order it took what. `fail`: how often of ten it says 503 instead."""

    def __init__(self, ledger, name, delay=0.0, fail=0):
        self.sequence = []
        self._fail = fail
        self._random = random.Random(name)
        self._order_lock = threading.Lock()
        super().__init__(ledger, name, delay=delay)

    def _answer(self, connection, body):
        if self._random.random() * 10 < self._fail:
            connection.sendall(BUSY)
            return
        super()._answer(connection, body)

    def note(self, numbers):
        with self._order_lock:
            self.sequence += numbers

    def firsts(self, wanted):
        """Of these, in the order in which each came first."""
        with self._order_lock:
            return [n for n in dict.fromkeys(self.sequence) if n in wanted]


class OrderedLedger(KeyedLedger):
    """Tells a target what came before it answers."""

    def __init__(self):
        super().__init__()
        self.targets = {}

    def receive(self, endpoint, body):
        numbers = super().receive(endpoint, body)
        self.targets[endpoint].note(numbers)
        return numbers


class TurnSenders(Senders):
    """Posts to several addresses in turn, a few posts each, as behind a service. One thread, so
    that what it was promised has an order."""

    def __init__(self, ledger, rate):
        self.addresses = []
        self._turn = itertools.count()
        super().__init__(ledger, count=1, events=(1, 1, 3), rate=rate)

    @property
    def target(self):
        addresses = self.addresses
        return addresses[next(self._turn) // 8 % len(addresses)] if addresses else None

    @target.setter
    def target(self, _):
        pass


class FleetCase(NatsCase):
    """Three servers, three replicas, three endpoints: one in strict order that sometimes fails, one
    that takes much at once, one in order per key."""

    servers = 3
    rate = 60
    IN_FLIGHT = {"strict": 1, "free": 16, "keyed": 16}
    # Attempts that went well, and of which the servers do not know yet.
    UNKNOWN_MAX = 32

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("FANFARE_NATS_SEED") or random.randrange(1 << 32))
        print(f"seed {seed} (FANFARE_NATS_SEED={seed} repeats its choices)", flush=True)
        self.random = random.Random(seed)
        self.ledger = OrderedLedger()
        for name, fail in (("strict", 1), ("free", 0), ("keyed", 1)):
            target = OrderedTarget(self.ledger, name, delay=0.001, fail=fail)
            self.addCleanup(target.close)
            self.ledger.targets[name] = target
        common = {"threshold": 1000, "backoff": "50ms", "timeout": "5s"}
        urls = {name: target.url for name, target in self.ledger.targets.items()}
        self.endpoints = [
            {"name": "strict", "url": urls["strict"], "max_in_flight": 1, **common},
            {"name": "free", "url": urls["free"], "max_in_flight": 16, **common},
            {"name": "keyed", "url": urls["keyed"], "order_by": "/key", "max_in_flight": 16,
             **common}]
        self.replicas = []
        for _ in range(3):
            self.add_replica()
        self.sender = TurnSenders(self.ledger, self.rate)
        self.addCleanup(self.sender.close)
        self.disturbances = 0
        self.tell_sender()
        self.wait_traffic()

    def tell_sender(self):
        self.sender.addresses = [replica.ingest for replica in self.replicas]

    def add_replica(self):
        replica = self.replica(self.endpoints, shutdown={"drain": "2s"})
        self.replicas.append(replica)
        return replica

    def kill_replica(self):
        """One of them, at a moment that nobody has chosen."""
        victim = self.replicas.pop(self.random.randrange(len(self.replicas)))
        self.kill(victim)
        self.tell_sender()

    def stop_replica(self, number=None):
        """This one, counted from the oldest, or any."""
        if number is None:
            number = self.random.randrange(len(self.replicas))
        victim = self.replicas.pop(number)
        self.tell_sender()
        victim.expected_exit = None
        self.assertEqual(victim.stop(), 0)

    def pause(self, least, most):
        """The moment is what is tried."""
        time.sleep(self.random.uniform(least, most))

    def wait_traffic(self, count=20, seconds=60.0):
        """Until so many more events are promised and come through everywhere."""
        before = len(self.ledger.promised)
        came = {name: len(self.ledger.received(name)) for name in self.IN_FLIGHT}

        def goes_on():
            return len(self.ledger.promised) >= before + count and all(
                len(self.ledger.received(name)) >= seen + count for name, seen in came.items())
        wait_until(goes_on, seconds, lambda: f"traffic: promised {len(self.ledger.promised)} of "
                   f"{self.ledger.sent}, {[s[1] for s in self.sender.statuses[-5:]]}, came "
                   f"{ {name: len(self.ledger.received(name)) for name in came} }")

    def settle(self, seconds=120.0):
        """The disturbances are over: all that was promised comes, in the order that it should."""
        self.sender.close()
        promised = set(self.ledger.promised)
        for name in self.IN_FLIGHT:
            self.wait_all(name, seconds)
        for name in self.IN_FLIGHT:
            self.wait_settled(self.replicas[0], name, seconds)
        self.assertEqual(self.ledger.wrong, [])
        self.assert_order(promised)
        self.assert_few_repeats()
        self.cluster.wait_current(STREAM)
        print(f"{len(promised)} of {self.ledger.sent} promised; repeats "
              f"{ {name: self.ledger.repeats(name) for name in self.IN_FLIGHT} }", flush=True)

    def wait_all(self, name, seconds):
        """Until the endpoint has got all that was promised."""
        wait_until(lambda: not self.ledger.missing(name), seconds,
                   lambda: f"{name} to get {self.ledger.missing(name)[:20]} …")

    def repeats_of_servers(self):
        """What servers have lost, and was stored once more."""
        return 0

    def assert_order(self, promised):
        firsts = self.ledger.targets["strict"].firsts(promised)
        self.assertEqual(firsts, sorted(firsts), "strict order")
        by_key = {}
        for number in self.ledger.targets["keyed"].firsts(promised):
            by_key.setdefault(self.ledger.key(number), []).append(number)
        for key, numbers in by_key.items():
            self.assertEqual(numbers, sorted(numbers), f"order of key {key}")

    def assert_few_repeats(self):
        for name, in_flight in self.IN_FLIGHT.items():
            self.assertLessEqual(self.ledger.repeats(name), self.repeats_of_servers() +
                                 self.disturbances * (in_flight + self.UNKNOWN_MAX), name)
