"""kill -9, at any moment and at the worst ones."""

import signal
import time

from harness.process import free_port
from harness.wait import wait_until
from support.case import CrashCase, times
from support.disk import FILE_SYNCS, FILE_WRITES, KILL, LOG_SYNCS, LOG_WRITES, TRUNCATIONS

# What is acknowledged to us and not yet on the disk.
ACKNOWLEDGED_MAX = 256


class UnderLoad(CrashCase):
    """Four endpoints: one fast, one that fails now and then, one slow, one dead."""

    has_shim = False
    IN_FLIGHT = {"fast": 8, "batched": 100, "slow": 50, "dead": 100}

    def setUp(self):
        super().setUp()
        self.target("fast", max_in_flight=8)
        self.target("batched", batch={"max_events": 100})
        self.target("slow", delay=0.02, batch={"max_events": 50})
        self.dead_port = free_port()
        self.target("dead", self.dead_port, batch={"max_events": 100}).close()

    def test_nothing_is_lost(self):
        kills = times(30, 100)
        senders = self.senders()
        for number in range(kills):
            daemon = self.start()
            senders.target = daemon.ingest
            time.sleep(self.random.uniform(0.03, 0.25))  # the moment is what is tried
            self.kill(daemon)
            senders.target = None
            self.assert_few_repeats(number + 1)
        senders.close()
        self.assertGreater(len(self.ledger.promised), kills)
        self.assertEqual(self.ledger.received("dead"), set())
        print(f"{len(self.ledger.promised)} of {self.ledger.sent} events promised")

        self.revive("dead", self.dead_port)
        self.targets["slow"].delay = 0.0
        self.settle(self.start())
        self.assert_few_repeats(kills)

    def assert_few_repeats(self, kills):
        for name, in_flight in self.IN_FLIGHT.items():
            self.assertLessEqual(self.ledger.repeats(name), kills * (in_flight + ACKNOWLEDGED_MAX),
                                 f"{name} after {kills} kills")


class AtBadMoments(CrashCase):
    def test_while_it_recovers(self):
        dead = self.target("dead", batch={"max_events": 100})
        dead.is_refusing = True
        senders = self.senders()
        for _ in range(times(4, 20)):
            daemon = self.start()
            senders.target = daemon.ingest
            wait_until(lambda: senders.answered(202, daemon.started_at))
            self.kill(daemon)
            senders.target = None
            for _ in range(5):
                daemon = self.start(ready=False)
                time.sleep(self.random.uniform(0.0, 0.08))  # the moment is what is tried
                self.kill(daemon)
        senders.close()

        dead.is_refusing = False
        self.settle(self.start())

    def test_while_the_log_is_written_into_the_file(self):
        self.kill_at(FILE_WRITES | FILE_SYNCS | TRUNCATIONS, 1, times(8, 60), 30)

    def test_while_the_log_is_written(self):
        self.kill_at(LOG_WRITES | LOG_SYNCS, 20, times(8, 60), 60)

    def kill_at(self, calls, first, kills, last):
        """Ends the process instead of one of these calls, a random one of the first."""
        self.target("live", max_in_flight=4)
        dead = self.target("dead", batch={"max_events": 100})
        dead.is_refusing = True
        senders = self.senders(events=(1, 5, 20))
        for _ in range(kills):
            daemon = self.start()
            daemon.expected_exit = None
            self.disk.fail(self.random.randint(first, last), calls, KILL)
            senders.target = daemon.ingest
            self.assertEqual(daemon.wait(30), -signal.SIGKILL)
            senders.target = None
            self.disk.heal()
        senders.close()

        dead.is_refusing = False
        self.settle(self.start())

    def test_between_the_answer_and_our_note_of_it(self):
        target = self.target("only")
        for _ in range(times(5, 50)):
            daemon = self.start()
            self.post(daemon, 3)
            self.wait_empty(daemon)
            self.wait_committed()
            before = dict(self.ledger.deliveries["only"])
            # Right behind the answer, in the thread that has sent it.
            target.after_answer = lambda _, d=daemon: d.send_signal(signal.SIGKILL)
            daemon.expected_exit = None
            [last] = self.post_while_it_dies(daemon)
            daemon.wait()
            target.after_answer = None

            daemon = self.start()
            self.wait_empty(daemon)
            self.stop(daemon)
            deliveries = dict(self.ledger.deliveries["only"])
            self.assertIn(deliveries.pop(last), (1, 2))
            self.assertEqual(deliveries, before)
        self.settle(self.start())

    def post_while_it_dies(self, daemon):
        """It may be dead before its answer has come."""
        try:
            return self.post(daemon)
        except (AssertionError, OSError):
            return [self.ledger.sent - 1]
