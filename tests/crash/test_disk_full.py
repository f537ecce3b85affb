"""No room left, for one reason or another, and room again."""

import pathlib
import time

from harness.process import Process, require_program
from harness.wait import stays_true, wait_until
from support.case import CrashCase
from support.ledger import Ledger

RESUMES_MAX = 2.0


class FullCase(CrashCase):
    """One endpoint takes all, the other nothing, until the store is full."""

    BOUND = 64 << 20  # the least that max_disk can be

    def setUp(self):
        super().setUp()
        self.target("live", max_in_flight=4)
        self.target("held", batch={"max_events": 100}).is_refusing = True

    def fill(self, daemon, **options):
        """Senders that have been told that there is no room."""
        senders = self.senders(daemon, count=4, events=(2, 10), **options)
        wait_until(lambda: senders.answered(503), 60, "no room")
        for _, _, took, retry_after in senders.answered(503):
            self.assertIsNotNone(retry_after)
            self.assertLess(took, 4)
        return senders

    def assert_deliveries_go_on(self, daemon):
        """Also while there is no room, what was accepted is delivered."""
        self.wait_delivered(daemon, "live", 30)
        self.assertEqual(daemon.get("/healthz").status, 200)

    def assert_resumes(self, senders, begun):
        wait_until(lambda: senders.answered(202, begun), 10, "that events are taken again")
        self.assertLess(senders.answered(202, begun)[0][0] - begun, RESUMES_MAX)

    def use_large_events(self):
        self.ledger = Ledger(fill=30_000)
        for target in self.targets.values():
            target.ledger = self.ledger


class Full(FullCase):
    def test_quota(self):
        daemon = self.start()
        self.post(daemon, 10)
        self.disk.quota_bytes = self.disk.used_bytes() + (4 << 20)
        senders = self.fill(daemon)
        wait_until(lambda: self.disk.refused, 60, "that the quota is met")
        wait_until(lambda: not senders.answered(202, time.monotonic() - 0.3), 60, "refusals only")
        self.assert_deliveries_go_on(daemon)
        self.assertTrue(stays_true(lambda: daemon.exit_code is None, 1.0))

        begun = time.monotonic()
        self.disk.heal()

        self.assert_resumes(senders, begun)
        senders.close()
        self.targets["held"].is_refusing = False
        self.settle(daemon)

    def test_killed_while_it_is_full_it_starts_on_the_full_disk(self):
        daemon = self.start()
        self.post(daemon, 10)
        self.disk.quota_bytes = self.disk.used_bytes() + (3 << 20)
        self.fill(daemon).close()
        self.kill(daemon)

        self.disk.quota_bytes = self.disk.used_bytes()
        daemon = self.start()
        self.assert_deliveries_go_on(daemon)
        self.disk.heal()
        self.targets["held"].is_refusing = False
        self.settle(daemon)

    def test_own_bound(self):
        self.use_large_events()
        daemon = self.start(queue={"max_disk": f"{self.BOUND >> 20}MiB"})
        senders = self.fill(daemon)
        self.assert_deliveries_go_on(daemon)
        file = self.disk.dir / "events.db"
        self.assertLess(file.stat().st_size, self.BOUND)

        # What goes makes room, and nobody need do anything.
        self.targets["held"].is_refusing = False
        begun = time.monotonic()
        wait_until(lambda: senders.answered(202, begun), 30, "that events are taken again")
        senders.close()
        self.settle(daemon)
        self.assertLess(file.stat().st_size, self.BOUND)


class FullByOthers(FullCase):
    def test_another_process_fills_the_disk(self):
        """A disk of 24 MiB, mounted where nobody else sees it."""
        folder = self.directory / "mounted"
        folder.mkdir()
        holder = self.hold_mount(folder)
        seen = pathlib.Path(f"/proc/{holder.pid}/root") / folder.relative_to("/")
        prefix = ("nsenter", "-t", str(holder.pid), "-m", "--")
        config = self.config(queue={"dir": str(folder / "store")})
        daemon = self.daemon(prefix=prefix, **config)
        self.post(daemon, 10)
        senders = self.senders(daemon, count=4, rate=300)
        for _ in range(3):
            self.fill_up(seen / "other")
            wait_until(lambda: senders.answered(503, time.monotonic() - 0.5), 60, "no room")
            self.assert_deliveries_go_on(daemon)
            begun = time.monotonic()
            (seen / "other").unlink()
            self.assert_resumes(senders, begun)
        senders.close()

        self.kill(daemon)
        self.targets["held"].is_refusing = False
        self.settle(self.daemon(prefix=prefix, **config))

    def test_own_backlog_fills_the_disk(self):
        """`max_disk` is larger than the disk."""
        self.use_large_events()
        folder = self.directory / "mounted"
        folder.mkdir()
        holder = self.hold_mount(folder)
        prefix = ("nsenter", "-t", str(holder.pid), "-m", "--")
        config = self.config(queue={"dir": str(folder / "store")})
        daemon = self.daemon(prefix=prefix, **config)
        senders = self.senders(daemon, count=4, rate=300)
        wait_until(lambda: senders.answered(503, time.monotonic() - 0.5), 60, "no room")
        self.targets["held"].is_refusing = False
        begun = time.monotonic()
        wait_until(lambda: senders.answered(202, begun), 30, "that events are taken again")
        senders.close()
        self.settle(daemon)
        self.assertEqual(daemon.stop(), 0)
        again = self.daemon(prefix=prefix, **config)
        self.assertEqual(again.metrics().endpoint("restored_events_total", "held"), 0)

    def hold_mount(self, folder):
        """A process in a mount namespace of its own, which has a small disk."""
        mount = f"mount -t tmpfs -o size=24m none {folder} && echo mounted && exec sleep 600"
        require_program("unshare", "nsenter")
        holder = self.process(Process(["unshare", "-m", "sh", "-c", mount]))
        try:
            holder.wait_for_line(lambda line: line == "mounted")
        except AssertionError:
            self.skipTest(f"nothing can be mounted here: {holder.text()}")
        return holder

    @staticmethod
    def fill_up(file):
        """Nothing else can be written; what ends a file's last block is taken, too."""
        with file.open("wb", buffering=0) as other:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        other.write(bytes(size))
                except OSError:
                    pass
