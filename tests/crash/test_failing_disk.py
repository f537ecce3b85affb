"""Calls that fail, and calls that take long."""

import signal
import time

from harness.http import Connection
from harness.wait import wait_until
from support.case import CrashCase, is_long
from support.disk import EIO, ENOSPC, SHORT, SYNCS, WRITES
from support.store import resident_mib


class Failing(CrashCase):
    """The Nth write or sync, of a daemon under load or of one that starts."""

    PAUSE = 0.2  # before it fails, so that no other answer is under way any more

    def setUp(self):
        super().setUp()
        self.target("live", max_in_flight=4)
        self.target("held", batch={"max_events": 100}).is_refusing = True

    def numbers(self, count):
        return range(1, 51) if is_long() else sorted(self.random.sample(range(1, 51), count))

    def test_it_ends_and_nobody_who_waits_is_promised_anything(self):
        senders = self.senders(count=4, events=(1, 5))
        for calls, error in ((SYNCS, EIO), (SYNCS, ENOSPC), (WRITES, EIO)):
            for number in self.numbers(3):
                with self.subTest(calls=calls, error=error, number=number):
                    self.fail_under_load(senders, number, calls, error)
        senders.close()
        self.targets["held"].is_refusing = False
        self.settle(self.start())

    def fail_under_load(self, senders, number, calls, error):
        daemon = self.start()
        daemon.expected_exit = None
        senders.target = daemon.ingest
        wait_until(lambda: senders.answered(202, daemon.started_at))
        self.disk.fail(number, calls, error, pause=self.PAUSE)
        code = daemon.wait(20)
        senders.target = None
        failed_at = self.disk.failed_at_ns / 1e9
        self.disk.heal()
        self.assertEqual(code, 1, daemon.text())
        # Half of the pause is for answers that were on their way.
        late = senders.answered(202, failed_at + self.PAUSE / 2)
        self.assertEqual(late, [], f"promised after the failure at {failed_at}")

    def test_no_room_for_once_and_half_of_a_write_are_no_reason_to_end(self):
        daemon = self.start()
        senders = self.senders(daemon, count=4, events=(1, 5))
        for error in (ENOSPC, SHORT):
            for number in self.numbers(3):
                self.disk.fail(number, WRITES, error)
                wait_until(lambda: self.disk.failed or daemon.exit_code, 20)
                self.disk.heal()
                begun = time.monotonic()
                wait_until(lambda b=begun: senders.answered(202, b) or daemon.exit_code, 20)
                self.assertIsNone(daemon.exit_code, daemon.text()[-2000:])
        senders.close()
        self.kill(daemon)
        self.targets["held"].is_refusing = False
        self.settle(self.start())

    def test_at_the_start(self):
        self.kill(self.filled())
        for calls, error in ((SYNCS, EIO), (WRITES, EIO), (WRITES, ENOSPC)):
            for number in self.numbers(2):
                with self.subTest(calls=calls, error=error, number=number):
                    self.fail_at_start(number if is_long() else 1 + number % 8, calls, error)
        self.targets["held"].is_refusing = False
        self.settle(self.start())

    def filled(self):
        """A daemon of which some is in the log only."""
        daemon = self.start()
        for _ in range(20):
            self.post(daemon, 5)
        return daemon

    def fail_at_start(self, number, calls, error):
        """Either it ends with a message, or it was past its start, and then goes on until it is
        asked to end."""
        self.disk.fail(number, calls, error)
        daemon = self.start(ready=False)
        daemon.expected_exit = None
        wait_until(lambda: daemon.exit_code is not None or daemon.log_entries(msg="ready"))
        if daemon.exit_code is None:
            daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(20)
        failed = self.disk.failed
        self.disk.heal()
        self.assertIn(code, (0, 1) if failed else (0,), daemon.text())


class Slow(CrashCase):
    """A disk that has stopped, as good as."""

    SYNC = 5.0

    def test_events_are_refused_in_time_and_all_else_goes_on(self):
        self.target("live", max_in_flight=4)
        daemon = self.start(queue={"ack_timeout": "1s", "max_bytes": "32MiB"})
        self.post(daemon, 10)
        self.wait_empty(daemon)
        before = resident_mib(daemon)
        self.disk.sync_pause_us = int(self.SYNC * 1e6)
        begun = time.monotonic()
        senders = self.senders(daemon, count=8, events=(100,))

        most, slowest = 0, 0.0
        with Connection(daemon.admin) as connection:
            while time.monotonic() < begun + self.SYNC - 0.5:
                asked = time.monotonic()
                self.assertEqual(connection.request("GET", "/healthz").status, 200)
                slowest = max(slowest, time.monotonic() - asked)
                most = max(most, resident_mib(daemon))
        print(f"healthz {slowest * 1000:.1f} ms, {before} to {most} MiB")
        self.assertLess(slowest, 1)
        self.assertLess(most - before, 128)
        self.assertEqual(senders.answered(202, begun), [])
        refused = senders.answered(503, begun)
        self.assertTrue(refused)
        for _, _, took, _ in refused:
            self.assertLess(took, self.SYNC - 1)

        self.disk.heal()
        healed = time.monotonic()
        wait_until(lambda: senders.answered(202, healed), 10)
        senders.close()
        self.settle(daemon)

    def test_the_time_to_wait_is_five_seconds(self):
        self.target("live")
        daemon = self.start(queue={"ack_timeout": "5s"})
        self.post(daemon)
        self.disk.sync_pause_us = 8_000_000
        begun = time.monotonic()
        with Connection(daemon.ingest) as connection:
            answer = connection.request("POST", "/events", self.ledger.envelope(self.ledger.new(1)),
                                        (("Content-Type", "application/json"),))
        took = time.monotonic() - begun
        self.disk.heal()
        self.assertEqual(answer.status, 503)
        self.assertGreater(took, 4.5)
        self.assertLess(took, 7.8)
        self.settle(daemon)
