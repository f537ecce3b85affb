"""Answers that never end, drip, lie or are too much: little memory, little time, and the connection
is not used again. Also connections that end when they like, and a neighbour that hangs."""

import random
import statistics
import threading
import time

from harness.case import EndToEndCase
from harness.events import envelope, event, numbered
from harness.http import Connection, request_bytes
from harness.receiver import Answer, HANG
from harness.wait import wait_until

OK = b"HTTP/1.1 200 OK\r\n"
TIMEOUT = 1.0


def repeated(first, piece, pause=0.0):
    """An answer that goes on for ever."""
    def pieces():
        yield first
        while True:
            yield piece
            if pause:
                time.sleep(pause)
    return Answer(how="stream", pieces=pieces)


def whole(data):
    return Answer(how="stream", pieces=lambda: [data])


def kept_open(data):
    """All of `data`, and the connection stays until the other side ends it."""
    return repeated(data, b"", 0.02)


class BadAnswers(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.daemon_ = self.daemon([{"name": "t1", "url": self.receiver_.url(),
                                     "timeout": f"{TIMEOUT}s", "threshold": 1000}])

    def after(self, answer):
        """Has one event answered like this at first. What was counted, and how long the first
        attempt took; memory is looked at here."""
        before = self.daemon_.metrics()
        began = time.monotonic()
        first = self.receiver_.count()
        self.receiver_.script("/hook", [answer])
        self.daemon_.post(numbered(0, 2))
        received = self.receiver_.wait_for(first + 2)
        took = received[first + 1].at - began
        self.wait_delivered(self.daemon_, "t1")
        after = self.daemon_.metrics()
        self.assertLess(took, TIMEOUT + 1.0)
        self.assertLess(after.value("process_resident_memory_bytes")
                        - before.value("process_resident_memory_bytes"), 8e6)
        # Whatever became of it: what came next took another connection.
        self.assertNotEqual(received[first].connection, received[first + 1].connection)
        counted = {name: after.endpoint(f"{name}_total", "t1") - before.endpoint(f"{name}_total", "t1")
                   for name in ("successes", "failures", "errors")}
        reasons = [reason for reason in ("timeout", "reset", "protocol", "connect")
                   if after.get("fanfare_endpoint_errors_total", endpoint="t1", reason=reason)
                   > before.get("fanfare_endpoint_errors_total", endpoint="t1", reason=reason)]
        self.assertEqual((counted["successes"], counted["failures"]), (2, 0))
        return reasons, took

    def assert_delivered(self, answer):
        reasons, took = self.after(answer)
        self.assertEqual(reasons, [])
        return took

    def assert_error(self, answer, reason):
        reasons, took = self.after(answer)
        self.assertEqual(reasons, [reason])
        return took

    def test_bodies_that_never_end(self):
        """The status has decided; 64 KiB are read, and not for longer than the timeout."""
        mebibyte = b"x" * (1 << 20)
        chunk = b"100000\r\n" + mebibyte + b"\r\n"
        chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
        for answer in (repeated(OK + b"\r\n", mebibyte), repeated(chunked, chunk),
                       repeated(OK + b"Content-Length: 9999999999\r\n\r\n", mebibyte),
                       repeated(chunked, b"1;" + b"e" * 1000), repeated(chunked, b"0" * 1000),
                       repeated(chunked + b"0\r\n", b"Trailer: " + b"t" * 1000 + b"\r\n")):
            self.assertLess(self.assert_delivered(answer), TIMEOUT)

    def test_bodies_that_drip(self):
        for head in (b"\r\n", b"Content-Length: 50000\r\n\r\n"):
            self.assertGreater(self.assert_delivered(repeated(OK + head, b"x", 0.02)), TIMEOUT - 0.1)
        self.assert_delivered(repeated(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n",
                                       0.02))

    def test_heads_that_drip(self):
        for first, piece in ((b"", b"\r\n"), (b"HTTP/1.1 200 ", b"O"), (OK, b"A: b\r\n"),
                             (OK + b"X: ", b"x")):
            reasons, took = self.after(repeated(first, piece, 0.02))
            self.assertIn(reasons, (["timeout"], ["protocol"]))
            self.assertLess(took, TIMEOUT + 0.5)
        self.assert_error(repeated(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 P\r\n\r\n",
                                   0.05), "timeout")

    def test_gigabytes_of_head(self):
        line = b"X-Padding: " + b"x" * 1000 + b"\r\n"
        for answer in (repeated(OK, line * 100), repeated(OK + b"X: ", b"x" * 100_000),
                       repeated(b"HTTP/1.1 200 ", b"O" * 100_000), repeated(OK, b"A:\r\n" * 10_000),
                       repeated(b"", b"HTTP/1.1 103 Early Hints\r\n" + line + b"\r\n")):
            self.assertLess(self.assert_error(answer, "protocol"), TIMEOUT)

    def test_a_thousand_interim_answers(self):
        """They fit into 64 KiB, so they are skipped; four times as many do not."""
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        final = OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        self.assert_delivered(whole(interim * 1000 + final))
        self.assert_error(whole(interim * 4000 + final), "protocol")

    def test_lengths_that_lie(self):
        """Too short a body is the receiver's mistake, but it has said 200."""
        for head in (b"Content-Length: 100\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\n"
                     b"64\r\nshort"):
            self.assert_delivered(whole(OK + head))
            self.assert_delivered(kept_open(OK + head))

    def test_bytes_behind_the_end(self):
        tail = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
        for answer in (OK + b"Content-Length: 0\r\n\r\n", OK + b"Content-Length: 2\r\n\r\nok",
                       b"HTTP/1.1 204 No Content\r\n\r\n",
                       OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            for extra in (tail, b"x", b"\r\n"):
                self.assert_delivered(kept_open(answer + extra))

    def test_bytes_behind_the_end_in_a_segment_of_their_own(self):
        """They come when the answer has been read, and right before the next event: they are no
        answer to it."""
        for number, extra in enumerate((b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", b"ok")):
            has_come = threading.Event()

            def pieces(extra=extra, has_come=has_come):
                yield b"HTTP/1.1 204 No Content\r\n\r\n"
                time.sleep(0.003)
                yield extra
                has_come.set()
                while True:
                    yield b""
                    time.sleep(0.02)

            first = self.receiver_.count()
            self.receiver_.script("/hook", [Answer(how="stream", pieces=pieces)])
            self.daemon_.post(numbered(2 * number, 1))
            self.assertTrue(has_come.wait(10))
            self.daemon_.post(numbered(2 * number + 1, 1))
            received = self.receiver_.wait_for(first + 2)
            self.wait_delivered(self.daemon_, "t1")
            self.assertNotEqual(received[first].connection, received[first + 1].connection)
            self.assertEqual([r.event_ids() for r in received[first:]],
                             [[f"e{2 * number}"], [f"e{2 * number + 1}"]])
        metrics = self.daemon_.metrics()
        self.assertEqual([metrics.endpoint(f"{name}_total", "t1")
                          for name in ("successes", "failures", "errors")], [6, 0, 0])


class IdleRace(EndToEndCase):
    def test_connections_that_end_at_random_while_events_trickle(self):
        """5,000 events: nothing counted as gone wrong, none delivered twice, none lost."""
        count = 5000
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        receiver = self.receiver()
        receiver.on("/hook", lambda _: Answer(
            idle=chance.choice((0.0, chance.random() * 0.004)) if chance.random() < 0.5 else None))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "20s"}])
        with Connection(daemon.ingest) as poster:
            for n in range(count):
                poster.send(request_bytes("POST", "/events", numbered(n, 1)))
                self.assertEqual(poster.receive().status, 202)
                time.sleep(chance.random() * 0.004)
        self.wait_delivered(daemon, "t1", 60)

        received = receiver.received()
        self.assertEqual([r.event_ids()[0] for r in received], [f"e{n}" for n in range(count)])
        self.assertEqual({r.header("fanfare-attempt") for r in received}, {"1"})
        metrics = daemon.metrics()
        self.assertEqual([metrics.endpoint(f"{name}_total", "t1") for name in
                          ("successes", "failures", "errors", "retries")], [count, 0, 0, 0])
        self.assertGreater(receiver.connections_opened(), count / 10)


class Neighbour(EndToEndCase):
    """One endpoint hangs for ever; the other does not notice."""
    ROUNDS = 20
    PAIRS = 300

    def test_latency_and_throughput_stay_while_another_endpoint_hangs(self):
        """What both endpoints get against what only the healthy one gets, one by turns with the
        other, so that whatever else the machine does slows both down alike."""
        receiver = self.receiver()
        receiver.on("/hanging", HANG)
        daemon = self.daemon([
            {"name": "healthy", "url": receiver.url("/healthy"), "timeout": "10s"},
            {"name": "hanging", "url": receiver.url("/hanging"), "timeout": "1h",
             "max_in_flight": 16, "ignore": {"actions": ["pull"]}}], shutdown={"drain": "100ms"})
        for action in ("pull", "push"):
            self.rate(daemon, receiver, action)
        rates = {"pull": [], "push": []}
        for action in ("pull", "push") * self.ROUNDS:
            rates[action].append(self.rate(daemon, receiver, action))
        alone, beside = (statistics.median(rates[action]) for action in ("pull", "push"))
        delays = self.delays(daemon, receiver)
        self.assertEqual(receiver.count("/hanging"), 16)
        self.assertGreater(daemon.pending("hanging"), 500)

        print(f"alone {alone:.0f} events/s, beside the hanging one {beside:.0f}; "
              f"alone {delays['pull'] * 1e6:.0f} us, beside {delays['push'] * 1e6:.0f} us")
        # Events of both endpoints cost a few microseconds more.
        self.assertGreater(beside, 0.75 * alone)
        self.assertLess(delays["push"], 1.25 * delays["pull"] + 50e-6)

    def rate(self, daemon, receiver, action, count=200):
        """Events per second that the healthy one gets when many come at once."""
        before = receiver.count("/healthy")
        daemon.post(envelope(*(event(f"r{n}", action) for n in range(count))))
        received = receiver.wait_for(before + count, "/healthy")[before:]
        return (count - 1) / (received[-1].at - received[0].at)

    def delays(self, daemon, receiver):
        """Per action, the median of the seconds from posting an event to receiving it."""
        posted = []
        before = receiver.count("/healthy")
        with Connection(daemon.ingest) as poster:
            for n in range(2 * self.PAIRS):
                action = ("pull", "push")[n % 2]
                request = request_bytes("POST", "/events", envelope(event(f"d{n}", action)))
                posted.append((action, time.monotonic()))
                poster.send(request)
                poster.receive()
                wait_until(lambda n=n: receiver.count("/healthy") > before + n)
        delays = {"pull": [], "push": []}
        for (action, at), received in zip(posted, receiver.received("/healthy")[before:],
                                          strict=True):
            delays[action].append(received.at - at)
        return {action: statistics.median(taken) for action, taken in delays.items()}
