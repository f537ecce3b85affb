"""What the daemon does about attempts that fail: by strategy, by status, by Retry-After; order by
key and batches."""

import collections
import random
import time
from email.utils import formatdate

from harness.case import EndToEndCase
from harness.events import envelope, event, ids, numbered
from harness.process import free_port
from harness.receiver import CLOSE, Answer
from harness.wait import wait_until

DELIVERED = (200, 201, 202, 204, 206, 299)
TEMPORARY = (408, 409, 425, 429, 500, 502, 503, 504, 599)
OTHERS = (300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 415, 421, 422, 451, 501,
          505)


def answer_once(request):
    """An event named s404 is answered 404 at the first attempt, and 200 from then on."""
    name = request.event_ids()[0]
    if request.header("fanfare-attempt") != "1":
        return Answer()
    return CLOSE if name == "none" else Answer(int(name[1:]))


class Table(EndToEndCase):
    def start(self, **retry):
        receiver = self.receiver()
        receiver.on("/hook", answer_once)
        endpoint = {"name": "t1", "url": receiver.url(), "timeout": "5s", "retry": retry}
        if retry.get("strategy") != "exponential":
            endpoint["threshold"] = 1000
        daemon = self.daemon([endpoint])
        names = [f"s{status}" for status in DELIVERED + TEMPORARY + OTHERS] + ["none"]
        self.assertEqual(daemon.post(envelope(*(event(name) for name in names))).status, 202)
        self.wait_delivered(daemon, "t1")
        return receiver, daemon.metrics(), names

    def test_breaker_tries_everything_again(self):
        receiver, metrics, names = self.start()
        failing = len(TEMPORARY) + len(OTHERS)
        self.assertEqual(receiver.accepted_ids(), names)
        self.assertEqual(metrics.endpoint("failures_total", "t1"), failing)
        self.assertEqual(metrics.endpoint("errors_total", "t1"), 1)
        self.assertEqual(metrics.endpoint("retries_total", "t1"), failing + 1)
        self.assertEqual(metrics.endpoint("dead_letters_total", "t1"), 0)
        for status in DELIVERED + TEMPORARY + OTHERS:
            if status != 200:
                self.assertEqual(metrics.value("fanfare_endpoint_responses_total", endpoint="t1",
                                               code=str(status)), 1, status)

    def test_exponential_gives_up_what_will_never_be_taken(self):
        receiver, metrics, names = self.start(strategy="exponential", initial="1ms",
                                              jitter="none")
        lost = {f"s{status}" for status in OTHERS}
        self.assertEqual(receiver.accepted_ids(), [name for name in names if name not in lost])
        self.assertEqual(metrics.value("fanfare_endpoint_dead_letters_total", endpoint="t1",
                                       reason="permanent"), len(OTHERS))
        self.assertEqual(metrics.endpoint("retries_total", "t1"), len(TEMPORARY) + 1)

    def test_lists_of_codes_come_first(self):
        for strategy in ({}, {"strategy": "exponential", "initial": "1ms"}):
            with self.subTest(strategy=strategy):
                receiver, metrics, _ = self.start(permanent=["500-504", 422],
                                                  retryable=[400, 404], **strategy)
                accepted = set(receiver.accepted_ids())
                self.assertTrue({"s400", "s404", "s599"} <= accepted)
                self.assertFalse({"s500", "s502", "s503", "s504", "s422"} & accepted)
                self.assertGreaterEqual(metrics.value("fanfare_endpoint_dead_letters_total",
                                                      endpoint="t1", reason="permanent"), 5)

    def test_410_disables_an_endpoint_that_is_told_to_believe_it(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(410))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(),
                               "retry": {"gone_disables": True}}])
        daemon.post(numbered(0, 5))
        self.wait_delivered(daemon, "t1")
        daemon.post(numbered(5, 5))
        wait_until(lambda: daemon.metrics().endpoint("ignored_events_total", "t1") == 5, 5,
                   lambda: "events of a disabled endpoint are ignored")
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_endpoint_dead_letters_total", endpoint="t1",
                                       reason="gone"), 5)
        self.assertEqual(receiver.count(), 1)
        self.assertEqual(metrics.endpoint("paused", "t1"), 1)


class RetryAfter(EndToEndCase):
    def test_is_honoured_in_both_forms_and_by_the_whole_endpoint(self):
        """2 seconds in every form that asks for them, none where nothing sensible is asked for."""
        now = time.time()
        ahead = now + 7200  # the receiver's clock is two hours fast
        fields = {
            "seconds": [("Retry-After", "2")],
            "date": [("Date", formatdate(ahead, usegmt=True)),
                     ("Retry-After", formatdate(ahead + 2, usegmt=True))],
            "huge": [("Retry-After", "1000000000")],
            "negative": [("Retry-After", "-1")],
            "float": [("Retry-After", "1e9")],
            "garbage": [("Retry-After", "soon")],
            "past": [("Retry-After", formatdate(now - 3600, usegmt=True))],
        }
        receiver = self.receiver()
        for name, headers in fields.items():
            receiver.script(f"/{name}", [Answer(503, tuple(headers))])
        daemon = self.daemon([{"name": name, "url": receiver.url(f"/{name}"), "max_in_flight": 4,
                               "timeout": "5s", "threshold": 1,
                               "backoff": "300ms", "retry": {"retry_after_max": "2s"}}
                              for name in fields]
                             + [{"name": "other", "url": receiver.url("/other")}])
        daemon.post(numbered(0, 1))
        for name in fields:
            receiver.wait_for(1, f"/{name}")
        daemon.post(numbered(1, 20))
        receiver.wait_for(21, "/other", 2)

        for name in fields:
            self.wait_delivered(daemon, name)
            requests = receiver.received(f"/{name}")
            pause = requests[1].at - requests[0].at
            if name in ("seconds", "date", "huge"):
                self.assertGreaterEqual(pause, 1.0 if name == "date" else 1.99, name)
                self.assertLess(pause, 3.5, name)
            else:
                self.assertGreaterEqual(pause, 0.29, name)
                self.assertLess(pause, 1.5, name)
            self.assertEqual(len(requests), 22, name)
            metrics = daemon.metrics()
            self.assertEqual(metrics.endpoint("failures_total", name), 1)

    def test_does_not_count_towards_breaker_or_attempts(self):
        receiver = self.receiver()
        receiver.script("/hook", [Answer(429, (("Retry-After", "1"),))] * 2)
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "threshold": 1,
                               "backoff": "1h", "retry": {"max_attempts": 1}}])
        daemon.post(numbered(0, 1))
        receiver.wait_for(1)
        self.assertEqual(daemon.metrics().endpoint("breaker_open", "t1"), 0)
        self.assertEqual(daemon.metrics().endpoint("paused", "t1"), 1)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ids(0, 1))
        self.assertEqual([r.header("fanfare-attempt") for r in receiver.received()],
                         ["1", "2", "3"])


class ByKey(EndToEndCase):
    def test_ten_thousand_events_over_fifty_keys(self):
        """16 in flight, one in five attempts fails, one key never succeeds."""
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        receiver = self.receiver()

        def answer(request):
            repository = request.events()[0]["target"]["repository"]
            return Answer(500 if repository == "key0" or chance.random() < 0.2 else 200)
        receiver.on("/hook", answer)
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "max_in_flight": 16,
                               "order_by": "/target/repository", "timeout": "10s"}])
        sent = collections.defaultdict(list)
        for first in range(0, 10_000, 500):
            events = []
            for number in range(first, first + 500):
                key = f"key{chance.randrange(50)}"
                sent[key].append(f"e{number}")
                events.append(event(f"e{number}", repository=key))
            self.assertEqual(daemon.post(envelope(*events)).status, 202)
        dead = len(sent.pop("key0"))
        wait_until(lambda: daemon.pending("t1") == dead, 100,
                   lambda: f"all but {dead} of a dead key: {daemon.pending('t1')} pending")

        got = collections.defaultdict(list)
        for request in receiver.received():
            if request.answer.status == 200:
                got[request.events()[0]["target"]["repository"]] += request.event_ids()
        self.assertEqual(got, sent)


class Batches(EndToEndCase):
    def test_one_bad_event_of_64_is_found_and_given_up(self):
        receiver = self.receiver()
        receiver.on("/hook", lambda r: Answer(422 if "e37" in r.event_ids() else 200))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s",
                               "batch": {"max_events": 64, "linger": "5s"}}])
        daemon.post(numbered(0, 64))
        self.wait_delivered(daemon, "t1")

        self.assertEqual(receiver.accepted_ids(), [i for i in ids(0, 64) if i != "e37"])
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_endpoint_dead_letters_total", endpoint="t1",
                                       reason="permanent"), 1)
        self.assertEqual(metrics.endpoint("batch_splits_total", "t1"), 6)
        requests = receiver.received()
        self.assertEqual(len(requests[0].event_ids()), 64)
        self.assertEqual(len({r.header("webhook-id") for r in requests}), len(requests))

    def test_a_batch_stays_the_same_over_all_its_attempts(self):
        receiver = self.receiver()
        receiver.script("/hook", [500, 500])
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s",
                               "batch": {"max_events": 3, "linger": "5s"}}])
        daemon.post(numbered(0, 3))
        receiver.wait_for(3)
        daemon.post(numbered(3, 3))
        self.wait_delivered(daemon, "t1")

        first = receiver.received()[:3]
        self.assertEqual(len({r.body for r in first}), 1)
        self.assertEqual(len({r.header("webhook-id") for r in first}), 1)
        self.assertRegex(first[0].header("webhook-id"), r"^[0-9a-f-]{36}-1-3$")
        self.assertEqual([r.header("fanfare-attempt") for r in first], ["1", "2", "3"])
        self.assertEqual(receiver.accepted_ids(), ids(0, 6))

    def test_what_waits_for_more_goes_at_the_end(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s",
                               "batch": {"max_events": 10, "linger": "60s"}}],
                             shutdown={"drain": "10s"})
        daemon.post(numbered(0, 3))
        wait_until(lambda: daemon.pending("t1") == 3, 5, lambda: "three events wait")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([r.event_ids() for r in receiver.received()], [ids(0, 3)])


class Recovery(EndToEndCase):
    """An endpoint comes back with 100,000 events pending."""

    ANSWER_AFTER = 0.05
    BACKLOG = 100_000
    WINDOWS = 5

    def test_begins_with_one_probe_and_disturbs_no_neighbour(self):
        """The neighbour's p99, from sending an event to its answer, changes by less than 10 %. The
        machine's other work only ever makes it longer: one of a few windows has to show it."""
        slow = Answer(delay=self.ANSWER_AFTER)
        neighbour = self.receiver()
        neighbour.on("/hook", slow)
        port = free_port()
        daemon = self.daemon([
            {"name": "neighbour", "url": neighbour.url(), "max_in_flight": 16, "timeout": "5s",
             "ignore": {"actions": ["pull"]}},
            {"name": "back", "url": f"http://127.0.0.1:{port}/hook", "max_in_flight": 16,
             "timeout": "5s", "ignore": {"actions": ["push"]}}])
        for first in range(0, self.BACKLOG, 5000):
            body = envelope(*(event(f"b{n}", "pull") for n in range(first, first + 5000)))
            self.assertEqual(daemon.post(body).status, 202)
        wait_until(lambda: daemon.metrics().endpoint("breaker_open", "back") == 1, 10,
                   lambda: "the breaker of a dead endpoint is open")
        self.p99(daemon, neighbour, "warm")
        before = self.p99(daemon, neighbour, "before")

        back = self.receiver(port=port)
        back.on("/hook", slow)
        back.wait_for(1)
        during = []
        while len(during) < self.WINDOWS and min(during, default=before * 2) >= before * 1.1:
            during.append(self.p99(daemon, neighbour, f"during{len(during)}-"))
        self.assertGreater(daemon.pending("back"), self.BACKLOG / 2)
        arrivals = [r.at for r in back.received()]
        shown = ", ".join(f"{p99 * 1000:.1f}" for p99 in during)
        print(f"p99 {before * 1000:.1f} ms before, {shown} ms while {len(arrivals)} of the backlog "
              "went out")
        self.assertGreater(len(arrivals), 300)
        self.assertLess(min(during), before * 1.1)
        self.assertEqual(arrivals_within(arrivals, self.ANSWER_AFTER * 0.9), 1)
        self.assertLessEqual(arrivals_within(arrivals, self.ANSWER_AFTER * 1.9), 3)
        daemon.expected_exit = None

    def p99(self, daemon, receiver, name):
        sent = {}
        for number in range(300):
            event_id = f"{name}{number}"
            sent[event_id] = time.monotonic()
            daemon.post(envelope(event(event_id)))
            time.sleep(0.01)
        self.wait_delivered(daemon, "neighbour")
        taken = sorted(r.at - sent[r.event_ids()[0]] + self.ANSWER_AFTER
                       for r in receiver.received() if r.event_ids()[0] in sent)
        self.assertEqual(len(taken), 300)
        return taken[int(len(taken) * 0.99)]


def arrivals_within(times, seconds):
    """How many came in the first so many seconds."""
    return sum(1 for at in times if at - times[0] < seconds)
