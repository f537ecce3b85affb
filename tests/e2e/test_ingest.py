"""What the ingest listener takes, refuses and says."""

import json

from harness.case import EndToEndCase
from harness.daemon import EVENTS_V1, EVENTS_V2
from harness.events import envelope, event, ids, numbered
from harness.http import Connection, fetch
from harness.metrics import Metrics


class Accepts(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url(),
                                     "timeout": "5s"}])

    def test_envelopes_of_no_one_three_and_a_thousand_events(self):
        """Acceptance 6."""
        self.assertEqual(self.fanfare.post(b"{}").json(), {"accepted": 0})
        self.assertEqual(self.fanfare.post(b'{"events":[]}').json(), {"accepted": 0})
        self.assertEqual(self.fanfare.post(numbered(0, 1)).json(),
                         {"accepted": 1, "first_seq": 1, "last_seq": 1})
        self.assertEqual(self.fanfare.post(numbered(1, 3)).json(),
                         {"accepted": 3, "first_seq": 2, "last_seq": 4})
        self.assertEqual(self.fanfare.post(numbered(4, 1000)).json(),
                         {"accepted": 1000, "first_seq": 5, "last_seq": 1004})
        self.wait_delivered(self.fanfare, "t1")
        self.assertEqual(self.receiver_.accepted_ids(), ids(0, 1004))
        self.assertEqual({len(r.events()) for r in self.receiver_.received()}, {1})

    def test_a_thousand_events_use_one_connection(self):
        self.fanfare.post(numbered(0, 1000))
        self.wait_delivered(self.fanfare, "t1")
        self.assertEqual(self.receiver_.connections_opened(), 1)
        self.assertEqual(self.fanfare.metrics().endpoint("connections_opened_total", "t1"), 1)

    def test_media_types(self):
        """Acceptance 5: the media type of a registry's envelope is passed on."""
        relayed = {EVENTS_V1: EVENTS_V1, EVENTS_V2: EVENTS_V2,
                   EVENTS_V1 + "; charset=utf-8": EVENTS_V1, "application/json": EVENTS_V2,
                   "application/json; charset=utf-8": EVENTS_V2, "text/json": EVENTS_V2,
                   None: EVENTS_V2}
        for number, media_type in enumerate(relayed):
            self.assertEqual(self.fanfare.post(numbered(number, 1), media_type).status, 202,
                             media_type)
        two_lines = self.fanfare.post(numbered(90, 1), EVENTS_V1,
                                      (("Content-Type", "application/json"),))
        self.assertEqual(two_lines.status, 202)
        received = self.receiver_.wait_for(len(relayed) + 1)
        self.assertEqual([r.header("Content-Type") for r in received],
                         [*relayed.values(), EVENTS_V1])

    def test_lists_lines_and_cloud_events(self):
        cloud = {"specversion": "1.0", "id": "c", "source": "/s", "type": "t"}
        lines = b'{"id":"n1"}\n{"id":"n2"}\n'
        self.assertEqual(self.fanfare.post(b'[{"id":"a1"},{"id":"a2"}]', "application/json")
                         .json()["accepted"], 2)
        self.assertEqual(self.fanfare.post(b'{"id":"alone"}', "application/json")
                         .json()["accepted"], 1)
        self.assertEqual(self.fanfare.post(lines, "application/x-ndjson").json()["accepted"], 2)
        self.assertEqual(self.fanfare.post(cloud, "application/cloudevents+json")
                         .json()["accepted"], 1)
        self.assertEqual(self.fanfare.post([cloud, cloud], "application/cloudevents-batch+json")
                         .json()["accepted"], 2)
        self.assertEqual(self.fanfare.post(b"hello", "text/plain", (
            ("ce-specversion", "1.0"), ("ce-id", "b"), ("ce-source", "/s"), ("ce-type", "t")))
            .json()["accepted"], 1)
        received = self.receiver_.wait_for(9)
        self.assertEqual([r.events()[0].get("id") for r in received],
                         ["a1", "a2", "alone", "n1", "n2", "c", "c", "c", "b"])
        self.assertEqual(received[8].events()[0]["data"], "hello")

    def test_same_event_twice_is_passed_on_twice(self):
        """Acceptance 10, with deduplication off."""
        for _ in range(2):
            self.assertEqual(self.fanfare.post(numbered(7, 1)).status, 202)
        first, second = self.receiver_.wait_for(2)
        self.assertEqual(first.header("webhook-id"), second.header("webhook-id"))
        self.assertEqual(first.header("webhook-id"), "e7")

    def test_event_without_id_takes_the_requests(self):
        self.fanfare.post(b'{"action":"x"}', "application/json", (("Idempotency-Key", "key-1"),))
        self.fanfare.post(b'{"action":"x"}', "application/json", (("webhook-id", "hook-1"),))
        self.fanfare.post(b'{"action":"x"}', "application/json")
        received = [r.header("webhook-id") for r in self.receiver_.wait_for(3)]
        self.assertEqual(received[:2], ["key-1", "hook-1"])
        self.assertRegex(received[2], r"^evt_[A-Za-z0-9_-]+$")

    def test_trace_context_is_passed_on(self):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.fanfare.post(numbered(0, 1), headers=(("traceparent", trace), ("tracestate", "a=1")))
        received, = self.receiver_.wait_for(1)
        self.assertEqual((received.header("traceparent"), received.header("tracestate")),
                         (trace, "a=1"))


class Refuses(EndToEndCase):
    """Acceptance 9: bad input gets an answer that says what was wrong, and does no harm."""

    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url()}])

    def tearDown(self):
        if self.fanfare.exit_code is None:
            self.assertEqual(self.fanfare.post(numbered(1, 1)).status, 202)
            self.wait_delivered(self.fanfare, "t1")
            self.assertEqual(self.receiver_.accepted_ids(), ["e1"])
        super().tearDown()

    def assert_refused(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        error = answer.json()["errors"][0]
        self.assertTrue(error["code"] and error["message"], answer)
        self.assertEqual(answer.header("Content-Type").partition(";")[0], "application/json")

    def test_json_of_no_use(self):
        bodies = {
            "empty": b"", "word": b"abc", "number": b"1", "string": b'"x"', "null": b"null",
            "NaN": b'{"a":NaN}', "trailing": b'{"events":[]} x', "cut": b'{"events":[{"id":"1"}',
            "trailing comma": b'{"events":[{},]}', "bad UTF-8": b'{"id":"\xff"}',
            "lone surrogate": b'{"id":"\\ud800"}', "BOM": b'\xef\xbb\xbf{"id":"1"}',
            "too deep": b'{"a":' + b"[" * 600 + b"]" * 600 + b"}",
            "control": b'{"id":"a\nb"}', "leading zero": b'{"a":01}',
            "element that is no object": b'{"events":[{"id":"1"},2]}',
        }
        for name, body in bodies.items():
            with self.subTest(name=name):
                self.assert_refused(self.fanfare.post(body, "application/json"), 400)

    def test_place_of_the_fault_is_told(self):
        answer = self.fanfare.post(b'{"events":[{"id":"1"},2]}')
        self.assert_refused(answer, 400)
        self.assertIn("1", json.dumps(answer.json()["errors"][0]))
        answer = self.fanfare.post(b'{"id":"a", "b":tru}', "application/json")
        self.assertRegex(json.dumps(answer.json()["errors"][0]), r"1[0-9]")

    def test_wrong_method_path_type_and_expectation(self):
        ingest = self.fanfare.ingest
        self.assert_refused(fetch(ingest, "POST", "/other", b"{}"), 404)
        answer = fetch(ingest, "GET", "/events")
        self.assert_refused(answer, 405)
        self.assertEqual(answer.header("Allow"), "POST")
        self.assert_refused(self.fanfare.post(b"<a/>", "application/xml"), 415)
        self.assert_refused(self.fanfare.post(b"{}", headers=(("Expect", "magic"),)), 417)
        self.assert_refused(self.fanfare.post(
            b"{}", headers=(("webhook-id", "a"), ("webhook-id", "b"))), 400)
        with Connection(ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assert_refused(connection.receive(), 411)

    def test_refused_body_leaves_the_connection_open(self):
        with Connection(self.fanfare.ingest) as connection:
            self.assertEqual(connection.request("POST", "/events", b"abc").status, 400)
            self.assertEqual(connection.request("POST", "/nowhere", b"abc").status, 404)
            self.assertEqual(connection.request("POST", "/events", b"abc", (
                ("Content-Type", "image/png"),)).status, 415)
            self.assertEqual(connection.request("POST", "/events", b'{"events":[]}').status, 202)

    def test_hundred_megabytes_are_refused_by_their_length(self):
        with Connection(self.fanfare.ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\n"
                            b"Content-Length: 104857600\r\n\r\n" + b"x" * 65536)
            self.assert_refused(connection.receive(), 413)

    def test_cut_off_body_is_no_request(self):
        with Connection(self.fanfare.ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n"
                            b'{"events":[')
        self.assertEqual(self.fanfare.metrics().value("fanfare_ingest_events_total"), 0)

    def test_refusals_are_counted_by_status(self):
        self.fanfare.post(b"abc")
        self.fanfare.post(b"<a/>", "application/xml")
        metrics: Metrics = self.fanfare.metrics()
        self.assertEqual(metrics.value("fanfare_ingest_requests_total", code="400"), 1)
        self.assertEqual(metrics.value("fanfare_ingest_requests_total", code="415"), 1)
        self.assertEqual(metrics.value("fanfare_ingest_events_total"), 0)

    def test_all_or_nothing(self):
        body = envelope(event("a"))[:-2] + b',{"id":"b","x":}]}'
        self.assert_refused(self.fanfare.post(body), 400)
        self.assertEqual(self.fanfare.metrics().value("fanfare_ingest_events_total"), 0)
