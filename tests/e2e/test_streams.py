"""Live streams: what comes through right now, for whoever listens, and for how long."""

import json
import socket
import threading
import time

from harness.events import event
from harness.events_case import EventsCase
from harness.http import Connection, fetch
from harness.stream import KNOWN, Stream
from harness.wait import wait_until


class StreamCase(EventsCase):
    def start(self, **config):
        target = self.receiver()
        self.fanfare = self.daemon([{"name": "audit", "url": target.url("/audit")}], **config)
        return self.fanfare

    def stream(self, query="", **options):
        stream = Stream(self.fanfare.admin, query, **options)
        self.addCleanup(stream.close)
        return stream

    def open(self, query="", **options):
        """A stream that has begun."""
        stream = self.stream(query, **options)
        self.assertEqual(stream.status, 200, stream.raw)
        stream.wait_frame("hello")
        return stream

    def refused(self, query=""):
        """(status, code) of a request that gets no stream."""
        answer = self.fanfare.get(f"/v1/events/stream?{query}")
        return answer.status, answer.error_codes()[0]

    def listed(self):
        return self.fanfare.get("/v1/streams").json()["streams"]

    def instance(self):
        return self.fanfare.get("/v1/events").json()["instance"]

    def value(self, name, **labels):
        return self.fanfare.metrics().value(name, **labels)

    def stopped(self):
        """A stream that its client reads nothing of."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = self.fanfare.admin.split(":")
        connection.connect((host, int(port)))
        connection.sendall(b"GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.addCleanup(connection.close)
        return connection

    def evicted(self):
        return (self.value("fanfare_streams_closed_total", reason="slow_consumer") +
                self.value("fanfare_streams_closed_total", reason="write_timeout"))


class Live(StreamCase):
    def test_what_comes_is_told_at_once(self):  # S1
        self.start()
        stream = self.open()
        hello = stream.frames[0]
        self.assertEqual((hello["lowest"], hello["next"], hello["start"]), (1, 1, 1))
        self.assertIn(b"application/x-ndjson", stream.head)
        self.assertIn(b"no-store", stream.head)
        self.assertIn(b"X-Accel-Buffering: no", stream.head)
        for seq in range(1, 4):
            self.post(1)
            stream.wait_seqs(list(range(1, seq + 1)), 1)
        frame = stream.of_type("event")[0]
        self.assertEqual(list(frame), ["type", "seq", "received", "source", "event"])
        self.assertEqual((frame["source"], frame["event"]), ("http", event("e0")))

    def test_the_last_ones_first(self):  # S2
        self.start()
        self.post(4)
        stream = self.open("count=2")
        self.post(1)
        stream.wait_seqs([3, 4, 5])

    def test_the_last_ones_that_fit(self):
        self.start()
        for action in ("push", "pull", "push", "pull"):
            self.post(1, action=action)
        stream = self.open("count=1&action=push")
        stream.wait_seqs([3])

    def test_more_than_there_are(self):  # S3
        self.start(history={"capacity": 10})
        self.post(13)
        self.open("count=200000").wait_seqs(list(range(4, 14)))

    def test_none_is_missed_or_told_twice_where_past_and_present_meet(self):  # S4
        self.start(history={"capacity": 1000}, streams={"max_per_client": 100})
        for i in range(200):
            sender = threading.Thread(target=self.post, args=(1,))
            sender.start()
            stream = Stream(self.fanfare.admin, f"since={2 * i}")
            sender.join()
            self.post(1)  # once it is there, nothing more can come of the one before it
            stream.wait_seqs([2 * i + 1, 2 * i + 2])
            stream.close()

    def test_every_stream_gets_all_in_order(self):  # S5
        self.start()
        streams = [self.open() for _ in range(2)]
        self.post(5)
        for stream in streams:
            stream.wait_seqs([1, 2, 3, 4, 5])

    def test_a_browser_comes_back(self):  # S6
        self.start()
        stream = self.open("format=sse")
        self.assertIn(b"Content-Type: text/event-stream", stream.head)
        self.post(3)
        stream.wait_seqs([1, 2, 3])
        self.assertEqual((stream.frames[0]["sse_retry"], stream.frames[0]["sse_event"]),
                         ("3000", "hello"))
        last = stream.frames[-1]
        self.assertEqual(last["sse_id"], f"{self.instance()}:3")
        self.assertNotIn("sse_event", last)
        stream.close()
        self.post(4)
        back = self.open(headers=["Accept: text/event-stream", f"Last-Event-ID: {last['sse_id']}"])
        back.wait_seqs([4, 5, 6, 7])
        self.assertEqual(back.of_type("gap"), [])

    def test_a_cursor(self):  # S7
        self.start(history={"capacity": 3})
        self.post(5)
        self.open("since=2").wait_seqs([3, 4, 5])
        behind = self.open("since=1")
        behind.wait_seqs([3, 4, 5])
        gap = behind.of_type("gap")[0]
        self.assertEqual((gap["from"], gap["to"], gap["missed"], gap["reason"]),
                         (2, 2, 1, "evicted"))
        live = self.open(f"since={self.instance()}:5")
        self.assertEqual(self.refused("since=6"), (400, "CURSOR_IN_FUTURE"))
        self.assertEqual(self.refused("since=9"), (400, "CURSOR_IN_FUTURE"))
        self.assertEqual(self.refused("since=x:1"), (400, "INVALID_CURSOR"))
        self.post(1)
        live.wait_seqs([6])
        odd = self.open(headers=["Accept: text/event-stream", "Last-Event-ID: what"])
        self.post(1)
        odd.wait_seqs([7])

    def test_a_cursor_of_another_instance(self):  # S8
        self.start()
        self.post(2)
        cursor = "00000000-0000-4000-8000-000000000000:77"
        stream = self.open(f"since={cursor}")
        stream.wait_seqs([1, 2])
        gap = stream.of_type("gap")[0]
        self.assertEqual((gap["from"], gap["to"], gap["missed"], gap["reason"]),
                         (None, 0, None, "restart"))
        sse = self.open("format=sse", headers=[f"Last-Event-ID: {cursor}"])
        sse.wait_seqs([1, 2])
        self.assertEqual(sse.of_type("gap")[0]["sse_id"], f"{self.instance()}:0")

    def test_a_cursor_from_before_a_restart(self):  # S8
        self.start()
        self.post(3)
        cursor = f"{self.instance()}:3"
        self.fanfare.stop()
        self.start()
        self.post(2)
        stream = self.open(f"since={cursor}")
        stream.wait_seqs([1, 2])
        self.assertEqual([gap["reason"] for gap in stream.of_type("gap")], ["restart"])

    def test_a_filter_moves_the_cursor_on(self):  # S9
        self.start(streams={"heartbeat": "1s"})
        stream = self.open("action=@write&format=sse")
        for action in ("pull", "push", "pull"):
            self.post(1, action=action)
        stream.wait_seqs([2])
        block = wait_until(lambda: [f for f in stream.frames if f.get("sse_id", "").endswith(":3")])
        self.assertNotIn("seq", block[0])
        back = self.open("action=@write&format=sse",
                         headers=[f"Last-Event-ID: {block[0]['sse_id']}"])
        self.post(1, action="push")
        back.wait_seqs([4])

    def test_a_heartbeat(self):  # S10
        self.start(streams={"heartbeat": "1s"})
        stream, sse = self.open(), self.open("format=sse")
        wait_until(lambda: len(stream.of_type("ping")) >= 2, 10)
        wait_until(lambda: [f for f in sse.frames if f["comment"] == "ping"], 10)
        self.assertEqual(stream.of_type("ping")[0]["next"], 1)
        self.assertFalse(stream.is_ended)

    def test_every_line_is_known(self):  # S16
        self.start(history={"capacity": 50}, streams={"heartbeat": "100ms"})
        streams = [self.open(), self.open("since=0")]
        for _ in range(20):
            self.send([event(f"e{j}") for j in range(100)])
        for stream in streams:
            wait_until(lambda s=stream: s.seqs()[-1:] == [2000], 10)
            self.assertTrue({frame["type"] for frame in stream.frames} <= KNOWN)
            self.assertEqual(stream.seqs(), sorted(set(stream.seqs())))
            missed = sum(gap["missed"] for gap in stream.of_type("gap"))
            self.assertEqual(missed + len(stream.seqs()), 2000)

    def test_http_1_0_and_head(self):
        self.start()
        old = self.open(version="1.0")
        self.assertNotIn(b"chunked", old.head)
        self.post(1)
        old.wait_seqs([1])
        answer = fetch(self.fanfare.admin, "HEAD", "/v1/events/stream")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(len(self.listed()), 1)
        self.assertEqual(fetch(self.fanfare.admin, "POST", "/v1/events/stream").status, 405)

    def test_what_the_client_says_meanwhile_means_nothing(self):
        self.start()
        stream = self.open()
        stream._socket.sendall(b"GET /v1/streams HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        self.post(1)
        stream.wait_seqs([1])

    def test_other_pages_may_read_it_only_if_that_is_configured(self):
        self.start()
        self.assertNotIn(b"Access-Control", self.open().head)
        self.reload(streams={"cors_origin": "https://ops.example.com"})
        wait_until(lambda: b"Access-Control-Allow-Origin: https://ops.example.com"
                   in self.open().head, 5)


class Limits(StreamCase):
    def test_in_all(self):  # S12
        self.start(streams={"max_total": 3})
        streams = [self.open() for _ in range(3)]
        self.assertEqual(self.refused(), (503, "TOO_MANY_STREAMS"))
        self.assertEqual(self.fanfare.get("/v1/events/stream").header("Retry-After"), "5")
        self.assertEqual(self.refused("count=xyz"), (400, "INVALID_PARAMETER"))
        self.assertEqual(self.refused("name=%0a"), (400, "INVALID_PARAMETER"))
        self.assertEqual(self.refused("format=xml"), (400, "INVALID_PARAMETER"))
        streams[0].close()
        wait_until(lambda: len(self.listed()) == 2, 5)
        self.open()
        self.assertEqual(self.value("fanfare_streams_rejected_total", reason="total"), 2)

    def test_of_one_client(self):  # S13
        self.start(streams={"max_per_client": 2})
        for host in ("localhost", "127.0.0.1:8081"):
            self.open(host=host)
        self.assertEqual(self.stream(host="[::1]").status, 429)
        self.assertEqual(self.refused(), (429, "TOO_MANY_STREAMS_FOR_CLIENT"))
        self.open(source="127.0.0.2")

    def first_event(self):
        """Waits for it, in one request as soon as there is a place for that."""
        return wait_until(lambda: (answer := self.fanfare.get("/v1/events?start=1&wait=20"))
                          .status == 200 and answer.json()["events"])

    def test_where_connections_are_few(self):
        """With 200 descriptors the admin listener has 16 connections or a few more."""
        self.start(prefix=("prlimit", "--nofile=200:200"))
        limit = self.fanfare.get("/v1/streams").json()["limit"]["total"]
        self.assertLess(limit, 16)
        streams = [self.open() for _ in range(limit - 1)]
        found = []
        poll = threading.Thread(target=lambda: found.append(self.first_event()))
        poll.start()
        wait_until(lambda: self.fanfare.get("/v1/events?start=1&wait=1").status == 503)
        self.assertEqual(self.refused(), (503, "TOO_MANY_STREAMS"))
        waiting = self.fanfare.get("/v1/events?start=1&wait=1")
        self.assertEqual((waiting.status, waiting.error_codes(), waiting.header("Retry-After")),
                         (503, ["TOO_MANY_STREAMS"], "5"))
        for path in ("/healthz", "/metrics", "/v1/endpoints", "/v1/events?start=1"):
            self.assertEqual(self.fanfare.get(path).status, 200, path)
        self.post(1)
        poll.join()
        self.assertEqual([record["seq"] for record in found[0]], [1])
        streams.append(self.open())
        self.assertEqual(len(self.listed()), limit)

    def test_none(self):
        self.start(streams={"max_total": 0})
        self.assertEqual(self.refused(), (404, "STREAMS_DISABLED"))

    def test_at_the_end_of_the_daemon(self):  # S14
        self.start()
        stream, sse = self.open(), self.open("format=sse")
        self.post(1)
        stream.wait_seqs([1])
        self.fanfare.stop()
        for one in (stream, sse):
            one.wait_end()
            self.assertIsNone(one.error)
            close = one.of_type("close")[0]
            self.assertEqual((close["reason"], close["last_seq"]), ("shutdown", 1))
        self.assertTrue(stream.raw.endswith(b"0\r\n\r\n"))

    def test_when_they_grow_old(self):
        self.start(streams={"max_age": "300ms"})
        stream = self.open()
        self.assertEqual(stream.wait_frame("close")["reason"], "max_age")
        stream.wait_end()

    def test_when_history_is_switched_off(self):
        self.start()
        stream = self.open()
        self.reload(history={"capacity": 0})
        self.assertEqual(stream.wait_frame("close")["reason"], "history_disabled")


class Listed(StreamCase):
    def test_who_reads(self):  # L1, L2, L3
        self.start()
        first, second = self.open("name=a&action=@write"), self.open("name=b&format=sse")
        entries = self.listed()
        self.assertEqual([entry["name"] for entry in entries], ["a", "b"])
        self.assertEqual([entry["format"] for entry in entries], ["ndjson", "sse"])
        self.assertEqual(entries[0]["filter"], "action=@write")
        ports = [stream._socket.getsockname()[1] for stream in (first, second)]
        self.assertEqual([entry["peer"] for entry in entries],
                         [f"127.0.0.1:{port}" for port in ports])
        first.close()
        wait_until(lambda: [entry["name"] for entry in self.listed()] == ["b"], 1)
        self.assertEqual(self.value("fanfare_streams_active"), 1)

    def test_one_is_sent_away(self):
        self.start()
        stream = self.open()
        answer = fetch(self.fanfare.admin, "DELETE", f"/v1/streams/{self.listed()[0]['id']}")
        self.assertEqual(answer.status, 204)
        self.assertEqual(stream.wait_frame("close")["reason"], "kicked")
        stream.wait_end()
        self.assertEqual(fetch(self.fanfare.admin, "DELETE", "/v1/streams/s-9").status, 404)


class SlowReaders(StreamCase):
    """A reader that reads no more, however often, costs the others nothing."""

    def test_one_that_has_stopped(self):  # S11
        self.start(streams={"max_lag": 500, "write_timeout": "2s"})
        reader = self.open()
        self.stopped()
        wait_until(lambda: self.value("fanfare_streams_active") == 2, 5)
        for i in range(100):
            self.send([{**event(f"e{j}"), "text": "x" * 1024} for j in range(100)])
        wait_until(lambda: self.evicted() == 1, 20)
        reader.wait_seqs(list(range(1, 10001)), 20)
        self.assertEqual(self.value("fanfare_streams_active"), 1)
        told = self.fanfare.log_entries(msg="stream ended", level="warning")
        self.assertEqual(len(told), 1)
        self.assertIn(told[0]["reason"], ("slow_consumer", "write_timeout"))

    def test_a_hundred_of_them_leave_nothing(self):  # S11
        self.start(streams={"max_lag": 10, "write_timeout": "500ms"}, history={"capacity": 10000})
        before = self.value("process_open_fds")
        for round_number in range(1, 11):
            stopped = [self.stopped() for _ in range(10)]
            wait_until(lambda: self.value("fanfare_streams_active") == 10, 5)
            self.send([{**event(f"e{j}"), "text": "x" * 30000} for j in range(100)])
            self.send([{**event(f"e{j}"), "text": "x" * 30000} for j in range(100)])
            wait_until(lambda n=round_number: self.evicted() == 10 * n, 20,
                       lambda: f"all sent away: {self.evicted()}")
            for connection in stopped:
                connection.close()
        wait_until(lambda: self.value("fanfare_streams_active") == 0, 5)
        wait_until(lambda: self.value("process_open_fds") <= before + 2, 10)

    def test_a_ring_that_shrinks_is_a_gap(self):  # S15
        self.start(history={"capacity": 1000}, streams={"write_timeout": "60s"},
                   meta={"enabled": False})
        reader = self.open()
        reader.may_read.clear()
        self.post(1)  # the one that the reader still takes before it looks up
        reader.wait_seqs([1])
        # More than the buffers between the two hold, so that the stream is behind.
        for _ in range(60):
            self.send([{**event(f"e{j}"), "text": "x" * 60000} for j in range(10)])
        wait_until(lambda: self.value("fanfare_stream_lag_events") > 50, 10)
        self.reload(history={"capacity": 10})
        reader.may_read.set()
        wait_until(lambda: reader.seqs()[-1:] == [601], 20, lambda: str(reader.seqs()[-1:]))
        gap = reader.of_type("gap")[0]
        self.assertEqual((gap["to"], gap["reason"]), (591, "evicted"))
        self.assertEqual(reader.seqs()[-10:], list(range(592, 602)))
        self.assertEqual(gap["missed"] + len(reader.seqs()), 601)
        self.assertFalse(reader.is_ended)


class Stopped(StreamCase):
    """A reader that reads no more is noticed neither by who sends nor in memory."""

    def waits(self, connection, count):
        """The seconds that each of so many requests took, sorted."""
        body = json.dumps([{**event("e"), "text": "x" * 1024}]).encode()
        headers = (("Content-Type", "application/json"),)
        taken = []
        for _ in range(count):
            begun = time.monotonic()
            answer = connection.request("POST", "/events", body, headers)
            taken.append(time.monotonic() - begun)
            self.assertEqual(answer.status, 202)
        return sorted(taken)

    def test_costs_others_nothing(self):  # S11
        self.start(history={"max_bytes": "4MiB"}, streams={"max_lag": 5000, "write_timeout": "60s"})
        with Connection(self.fanfare.ingest) as connection:
            self.waits(connection, 5000)  # the history is full from here on
            before = self.waits(connection, 2000)
            resident = self.value("process_resident_memory_bytes")
            self.stopped()
            wait_until(lambda: self.value("fanfare_streams_active") == 1)
            during = self.waits(connection, 10_000)
        wait_until(lambda: self.evicted() == 1)
        grown = self.value("process_resident_memory_bytes") - resident
        p99 = [taken[len(taken) * 99 // 100] for taken in (before, during)]
        print(f"p99 {p99[0] * 1000:.2f} ms before, {p99[1] * 1000:.2f} ms while one has stopped; "
              f"{grown / (1 << 20):.1f} MiB more")
        self.assertLess(p99[1], 3 * p99[0] + 0.005)
        self.assertLess(grown, 8 << 20)  # what was sent meanwhile takes up more than 11 MiB
