"""SIGTERM under load, with and without the time to end."""

import signal
import time

from harness.wait import wait_until
from support.case import CrashCase, times
from support.store import log_bytes


class Stop(CrashCase):
    def setUp(self):
        super().setUp()
        self.target("fast", max_in_flight=8)
        self.target("slow", delay=0.05)
        self.target("dead", batch={"max_events": 100}).is_refusing = True

    def run_for(self, daemon, senders, seconds):
        begun = time.monotonic()
        senders.target = daemon.ingest
        wait_until(lambda: senders.answered(202, begun + seconds), seconds + 20)

    def settle_all(self):
        self.targets["dead"].is_refusing = False
        self.targets["slow"].delay = 0.0
        self.settle(self.start())

    def test_ends_in_time_and_loses_nothing(self):
        senders = self.senders(count=4)
        for _ in range(times(3, 20)):
            daemon = self.start(shutdown={"drain": "1s"})
            self.run_for(daemon, senders, self.random.uniform(0.1, 0.5))
            begun = time.monotonic()
            self.stop(daemon)
            took = time.monotonic() - begun
            senders.target = None
            self.assertLess(took, 1 + 4)
            self.assertEqual(log_bytes(self.disk.dir), 0)
        senders.close()
        repeats = self.ledger.repeats("fast")
        self.assertEqual(repeats, 0)
        self.settle_all()

    def test_killed_while_it_drains_it_loses_nothing(self):
        """What becomes of a sidecar whose pod ends: SIGTERM, and SIGKILL two seconds later."""
        senders = self.senders(count=4)
        for _ in range(times(2, 10)):
            daemon = self.start(shutdown={"drain": "20s"})
            self.run_for(daemon, senders, 0.5)
            daemon.expected_exit = None
            daemon.send_signal(signal.SIGTERM)
            ends_at = time.monotonic() + 2
            wait_until(lambda e=ends_at: time.monotonic() > e or daemon.exit_code is not None, 5)
            self.assertIsNone(daemon.exit_code, "there was still something to drain")
            self.kill(daemon)
            senders.target = None
        senders.close()
        self.settle_all()
