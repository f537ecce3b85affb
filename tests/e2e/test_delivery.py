"""Healthy, slow, flaky and dead endpoints side by side; order and conservation."""

import random
import threading
import time

from harness.case import EndToEndCase
from harness.events import envelope, event, ids, numbered
from harness.process import free_port
from harness.receiver import Answer, Receiver
from harness.wait import wait_until


class SideBySide(EndToEndCase):
    def test_dead_slow_and_flaky_endpoints_do_not_disturb_a_healthy_one(self):
        """Acceptance 23, and 24 with a tenth of its number."""
        count = 1000
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        port = free_port()
        receiver = self.receiver()
        receiver.on("/slow", Answer(delay=0.05))
        receiver.on("/flaky", lambda _: Answer(500 if chance.random() < 0.3 else 200))
        daemon = self.daemon([
            {"name": "dead", "url": f"http://127.0.0.1:{port}/dead", "threshold": 3,
             "backoff": "100ms"},
            {"name": "slow", "url": receiver.url("/slow"), "timeout": "5s"},
            {"name": "flaky", "url": receiver.url("/flaky"), "timeout": "5s",
             "backoff": "20ms"},
            {"name": "healthy", "url": receiver.url("/healthy"), "timeout": "5s"}])

        for first in range(0, count, 100):
            self.assertEqual(daemon.post(numbered(first, 100)).status, 202)

        self.wait_delivered(daemon, "healthy", 10)
        self.assertEqual(receiver.accepted_ids("/healthy"), ids(0, count))
        self.assertEqual(daemon.pending("dead"), count)
        self.assertGreater(daemon.pending("slow"), 0)
        self.assert_conserved(daemon)
        self.wait_delivered(daemon, "flaky", 20)
        self.assertEqual(receiver.accepted_ids("/flaky"), ids(0, count))
        self.assert_dead_one_catches_up(daemon, port, count)
        slow = receiver.accepted_ids("/slow")
        self.assertEqual(slow, ids(0, len(slow)))

    def assert_dead_one_catches_up(self, daemon, port, count):
        back = Receiver(port=port)
        self.addCleanup(back.close)
        self.wait_delivered(daemon, "dead", 20)
        self.assertEqual(back.accepted_ids(), ids(0, count))

    def test_books_are_balanced_at_any_moment(self):
        """SPEC 1, conservation: looked at again and again while events flow."""
        for threads in (1, 2):
            with self.subTest(threads=threads):
                self.check_books(threads)

    def check_books(self, threads):
        receiver = self.receiver()
        receiver.on("/flaky", lambda r: Answer(503 if r.header("fanfare-attempt") == "1" else 200))
        daemon = self.daemon([
            {"name": "healthy", "url": receiver.url("/healthy"), "ignore": {"actions": ["pull"]}},
            {"name": "flaky", "url": receiver.url("/flaky"), "threshold": 1000},
            {"name": "once", "url": receiver.url("/flaky"), "retry": {"max_attempts": 1}}],
            threads=threads)
        has_seen_enough = threading.Event()
        posted = []
        poster = threading.Thread(target=self.post_mixed, args=(daemon, posted, has_seen_enough))
        poster.start()
        try:
            for _ in range(10):
                self.assert_conserved(daemon)
        finally:
            has_seen_enough.set()
            poster.join()
        self.assertGreaterEqual(len(posted), 600)
        self.wait_delivered(daemon, "flaky", 60)
        pushes = len(posted) // 2
        metrics = daemon.metrics()
        self.assertEqual(metrics.endpoint("ignored_events_total", "healthy"), pushes)
        self.assertEqual(metrics.endpoint("successes_total", "healthy"), pushes)

    @staticmethod
    def post_mixed(daemon, posted, has_seen_enough):
        """Pushes and pulls in turn, ten to a request: 600, and up to 6,000 until enough is seen."""
        while len(posted) < 600 or not has_seen_enough.is_set() and len(posted) < 6000:
            events = [event(f"e{n}", ("push", "pull")[n % 2])
                      for n in range(len(posted), len(posted) + 10)]
            daemon.post(envelope(*events))
            posted.extend(events)

    def test_disabled_endpoint_is_not_contacted_and_not_in_metrics(self):
        """Acceptance 15."""
        receiver = self.receiver()
        daemon = self.daemon([
            {"name": "off", "url": receiver.url("/off"), "disabled": True},
            {"name": "on", "url": receiver.url("/on")}])
        daemon.post(numbered(0, 3))
        self.wait_delivered(daemon, "on")
        self.assertEqual(receiver.count("/off"), 0)
        self.assertEqual(daemon.metrics().endpoints(), ["on"])

    def test_ignored_events_count_as_ignored_and_nowhere_else(self):
        """Acceptance 16 in short, and 38; all its rows are in the unit tests."""
        receiver = self.receiver()
        daemon = self.daemon([
            {"name": "types", "url": receiver.url("/types"),
             "ignore": {"mediatypes": ["application/octet-stream"]}},
            {"name": "older", "url": receiver.url("/older"),
             "ignoredmediatypes": ["application/octet-stream"]},
            {"name": "actions", "url": receiver.url("/actions"), "ignore": {"actions": ["pull"]}}])
        blob = "application/octet-stream"
        daemon.post(envelope(event("1", "push"), event("2", "pull"), event("3", "push", blob),
                             event("4", "pull", blob)))
        for name in ("types", "older", "actions"):
            self.wait_delivered(daemon, name)
        self.assertEqual(receiver.accepted_ids("/types"), ["1", "2"])
        self.assertEqual(receiver.accepted_ids("/older"), ["1", "2"])
        self.assertEqual(receiver.accepted_ids("/actions"), ["1", "3"])
        metrics = daemon.metrics()
        for name in ("types", "older", "actions"):
            self.assertEqual(metrics.endpoint("ignored_events_total", name), 2)
            self.assertEqual(metrics.endpoint("events_total", name), 2)

    def test_match_rules_choose_events(self):
        receiver = self.receiver()
        rule = {"field": "/target/repository", "op": "prefix", "value": "library/"}
        daemon = self.daemon([{"name": "library", "url": receiver.url(), "match": [rule]}])
        daemon.post(envelope(event("1"), event("2", repository="other/x"), event("3")))
        self.wait_delivered(daemon, "library")
        self.assertEqual(receiver.accepted_ids(), ["1", "3"])

    def test_several_in_flight_deliver_at_the_same_time(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(delay=0.2))
        daemon = self.daemon([{"name": "wide", "url": receiver.url(), "timeout": "5s",
                               "max_in_flight": 10}])
        daemon.post(numbered(0, 40))
        received = receiver.wait_for(40)
        self.wait_delivered(daemon, "wide")
        self.assertEqual(sorted(receiver.accepted_ids()), sorted(ids(0, 40)))
        # One at a time would take 8 s.
        self.assertLess(received[-1].at - received[0].at, 4)
        self.assertLessEqual(receiver.connections_opened(), 10)


class Breaker(EndToEndCase):
    def gaps(self, received):
        return [later.at - earlier.at for earlier, later in zip(received, received[1:])]

    def test_threshold_then_one_attempt_per_backoff(self):
        """Acceptance 20, the times. Unit tests hold the exact ones with a manual clock."""
        receiver = self.receiver()
        receiver.script("/hook", [500, 503, 400, 404, 429, 410])
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "threshold": 3,
                               "backoff": "700ms"}])
        daemon.post(numbered(0, 1))
        received = receiver.wait_for(7)
        gaps = self.gaps(received)
        self.assertLess(sum(gaps[:2]), 0.69)
        for gap in gaps[2:]:
            self.assertGreaterEqual(gap, 0.69)
            self.assertLess(gap, 2 * 0.69)
        self.wait_delivered(daemon, "t1")
        metrics = daemon.metrics()
        self.assertEqual((metrics.endpoint("successes_total", "t1"),
                          metrics.endpoint("failures_total", "t1"),
                          metrics.endpoint("retries_total", "t1")), (1, 6, 6))
        posted_at = time.monotonic()
        daemon.post(numbered(1, 1))
        self.assertLess(receiver.wait_for(8)[-1].at - posted_at, 0.69)

    def test_timeout_is_an_error_and_duplicates_bear_one_id(self):
        """Acceptance 21."""
        receiver = self.receiver()
        receiver.script("/hook", [Answer(delay=1.0)] * 4)
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "300ms",
                               "threshold": 3, "backoff": "700ms"}])
        daemon.post(numbered(0, 1))
        received = receiver.wait_for(5)
        gaps = self.gaps(received)
        for gap in gaps[:2]:
            self.assertGreaterEqual(gap, 0.29)
            self.assertLess(gap, 0.98)
        for gap in gaps[2:]:
            self.assertGreaterEqual(gap, 0.98)
            self.assertLess(gap, 2 * 0.98)
        self.wait_delivered(daemon, "t1")
        self.assertEqual({r.header("webhook-id") for r in received}, {"e0"})
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_endpoint_errors_total", endpoint="t1",
                                       reason="timeout"), 4)
        self.assertEqual(metrics.endpoint("failures_total", "t1"), 0)

    def test_values_of_zero_or_less_take_the_defaults(self):
        """Acceptance 22."""
        receiver = self.receiver()
        receiver.script("/hook", [500] * 11)
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "threshold": -3,
                               "backoff": "-5s", "timeout": "0s"}])
        daemon.post(numbered(0, 1))
        gaps = self.gaps(receiver.wait_for(12))
        self.assertLess(sum(gaps[:9]), 0.98)
        for gap in gaps[9:]:
            self.assertGreaterEqual(gap, 0.98)
            self.assertLess(gap, 2 * 0.98)

    def test_attempts_are_given_up_after_max_attempts(self):
        receiver = self.receiver()
        receiver.on("/hook", lambda r: Answer(500 if r.event_ids() == ["e0"] else 200))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(),
                               "retry": {"max_attempts": 3}}])
        daemon.post(numbered(0, 2))
        self.wait_delivered(daemon, "t1")
        self.assertEqual([r.event_ids() for r in receiver.received()], [["e0"]] * 3 + [["e1"]])
        self.assertEqual(daemon.metrics().value("fanfare_endpoint_dead_letters_total",
                                                endpoint="t1", reason="max_attempts"), 1)
        wait_until(lambda: daemon.log_entries(msg="event given up", endpoint="t1"))
