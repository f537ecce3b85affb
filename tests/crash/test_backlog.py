"""A start with very much that waits."""

import time

from harness.wait import wait_until
from support.case import CrashCase, times
from support.ledger import Ledger
from support.store import resident_mib

EVENTS = times(100_000, 1_000_000)
AT_ONCE = 2000
FIRST_MAX = 3.0
RESIDENT_MAX_MIB = 150


class Backlog(CrashCase):
    has_shim = False

    def test_start_is_quick_and_small(self):
        self.ledger = Ledger(fill=100)
        only = self.target("only", batch={"max_events": 1000}, timeout="30s")
        only.is_refusing = True
        daemon = self.start()
        for _ in range(EVENTS // AT_ONCE):
            self.post(daemon, AT_ONCE)
        self.kill(daemon)
        only.is_refusing = False

        daemon = self.start()
        wait_until(lambda: self.ledger.received("only"), 30)
        first = time.monotonic() - daemon.started_at
        most = resident_mib(daemon)
        while daemon.pending("only") > EVENTS // 2:
            most = max(most, resident_mib(daemon))

        print(f"ready after {daemon.ready_after:.2f} s, first delivery after {first:.2f} s, "
              f"{most} MiB")
        self.assertLess(first, FIRST_MAX)
        self.assertLess(most, RESIDENT_MAX_MIB)
        self.settle(daemon, 300)
        self.assertEqual(self.ledger.repeats("only"), 0)
