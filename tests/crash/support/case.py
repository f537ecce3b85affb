"""The base of all crash tests."""

import os
import random

from harness.case import EndToEndCase
from harness.wait import wait_until
from support.disk import Disk
from support.ledger import Ledger
from support.traffic import Senders, Target, post

READY_MAX = 2.0
FRESH_MAX = 5.0


def is_long():
    """Whether there is time for the numbers that a release is measured by."""
    return os.environ.get("FANFARE_CRASH_LONG", "") not in ("", "0")


def times(short, long):
    return long if is_long() else short


class CrashCase(EndToEndCase):
    """One store, which many daemons open one after the other, and one ledger. Whatever happened,
    settle() tells at the end whether all that was promised has come. `has_shim`: whether daemons
    run with the disk's shim, without which none of the disk's words counts."""

    has_shim = True

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("FANFARE_CRASH_SEED") or random.randrange(1 << 32))
        print(f"seed {seed} (FANFARE_CRASH_SEED={seed} repeats its choices)", flush=True)
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.disk = Disk(self.directory)
        self.addCleanup(self.disk.close)
        self.targets = {}
        self.keys = {}  # of the endpoints' configuration, by name

    def target(self, name, port=0, delay=0.0, **keys):
        """An endpoint, and who listens there."""
        target = Target(self.ledger, name, port, delay)
        self.addCleanup(target.close)
        self.targets[name] = target
        self.keys[name] = {"threshold": 3, "backoff": "100ms", "timeout": "5s", **keys}
        return target

    def revive(self, name, port):
        """Somebody listens where nobody did."""
        target = Target(self.ledger, name, port)
        self.addCleanup(target.close)
        self.targets[name] = target

    def config(self, queue=None, **more):
        endpoints = [{"name": name, "url": target.url, **self.keys[name]}
                     for name, target in self.targets.items()]
        return {"endpoints": endpoints,
                "queue": {"storage": "disk", "dir": str(self.disk.dir), **(queue or {})}, **more}

    def start(self, queue=None, ready=True, **more):
        """A daemon with this store."""
        daemon = self.daemon(env=self.disk.env if self.has_shim else None, ready=ready,
                             **self.config(queue, **more))
        if ready:
            self.assertLess(daemon.ready_after, READY_MAX)
        return daemon

    def kill(self, daemon):
        """As if the machine's memory had run out."""
        daemon.expected_exit = None
        daemon.kill()

    def stop(self, daemon, code=0):
        daemon.expected_exit = None
        self.assertEqual(daemon.stop(seconds=30), code)

    def refused(self, **options):
        """The output of a daemon that must not start."""
        daemon = self.start(ready=False, **options)
        daemon.expected_exit = None
        self.assertEqual(daemon.wait(), 1, daemon.text())
        return daemon.text()

    def senders(self, daemon=None, **options):
        senders = Senders(self.ledger, **options)
        self.addCleanup(senders.close)
        if daemon is not None:
            senders.target = daemon.ingest
        return senders

    def post(self, daemon, count=1):
        """Numbers of events that are accepted in one request."""
        status, numbers = post(daemon.ingest, self.ledger, count)
        self.assertEqual(status, 202)
        return numbers

    def wait_empty(self, daemon, seconds=60.0):
        """Until nothing waits for any endpoint."""
        for name in self.targets:
            self.wait_delivered(daemon, name, seconds)

    def wait_committed(self, seconds=0.3):
        """Until the disk has been left alone for a while: acknowledgements are on it, too."""
        seen = []

        def is_idle():
            seen.append(self.disk.syncs)
            return len(seen) > seconds * 100 and seen[-int(seconds * 100)] == seen[-1]
        wait_until(is_idle, 10)

    def assert_nothing_lost(self):
        for name in self.targets:
            self.assertEqual(self.ledger.missing(name), [], f"promised, and lost for {name}")
        self.assertEqual(self.ledger.wrong, [])

    def settle(self, daemon, seconds=60.0):
        """The faults are over: everything comes, also what is new, and the books balance."""
        self.wait_empty(daemon, seconds)
        self.assert_nothing_lost()
        fresh = self.post(daemon)[0]
        for name in self.targets:
            wait_until(lambda n=name: fresh in self.ledger.deliveries[n], FRESH_MAX,
                       f"a fresh event at {name}")
        self.wait_empty(daemon, FRESH_MAX)
        self.assert_conserved(daemon)
