"""Requests that a real registry once sent, byte for byte."""

import collections
import json
import re

from harness.case import DATA, EndToEndCase
from harness.daemon import EVENTS_V1, EVENTS_V2
from harness.events import payload_slices
from harness.http import Connection

CAPTURES = sorted((DATA / "registry-captures").glob("*/*.http"))
SAMPLES = sorted((DATA / "envelope-samples").glob("*.json"))
PER_ATTEMPT = re.compile(rb"^(webhook-timestamp|fanfare-attempt): [^\r]*\r\n", re.I | re.M)


def by_path():
    """Captured requests by the path they were posted to."""
    paths = collections.defaultdict(list)
    for file in CAPTURES:
        raw = file.read_bytes()
        target = raw.split(b" ", 2)[1].decode()
        paths[target.partition("?")[0]].append((file, raw))
    return paths


class Captures(EndToEndCase):
    def test_there_are_captures_of_both_formats(self):
        media_types = {media_type for file in CAPTURES for media_type in
                       re.findall(rb"Content-Type: (\S+)", file.read_bytes())}
        self.assertEqual(media_types, {EVENTS_V1.encode(), EVENTS_V2.encode()})

    def test_each_is_answered_202_and_delivered_once_and_verbatim(self):
        """Acceptance 1."""
        for path, requests in by_path().items():
            with self.subTest(path=path):
                receiver = self.receiver()
                daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s"}],
                                     ingest={"path": path})
                for file, raw in requests:
                    with Connection(daemon.ingest) as connection:
                        connection.send(raw)
                        self.assertEqual(connection.receive().status, 202, file)
                self.wait_delivered(daemon, "t1")
                self.assert_delivered(receiver, requests)

    def assert_delivered(self, receiver, requests):
        received = receiver.received()
        self.assertEqual(len(received), len(requests))
        for (file, raw), delivered in zip(requests, received):
            head, _, body = raw.partition(b"\r\n\r\n")
            payloads = payload_slices(body)
            self.assertEqual(delivered.body, b'{"events":[' + b",".join(payloads) + b"]}", file)
            self.assertEqual(delivered.events(), json.loads(body)["events"], file)
            self.assertIn(f"Content-Type: {delivered.header('Content-Type')}\r\n".encode(),
                          head + b"\r\n", file)

    def test_all_on_one_connection_one_byte_at_a_time(self):
        path, requests = max(by_path().items(), key=lambda item: len(item[1]))
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}], ingest={"path": path})
        with Connection(daemon.ingest) as connection:
            for file, raw in requests[:6]:
                connection.send_bytewise(raw)
                self.assertEqual(connection.receive().status, 202, file)
        self.wait_delivered(daemon, "t1")
        self.assert_delivered(receiver, requests[:6])

    def test_all_pipelined_on_one_connection(self):
        path, requests = max(by_path().items(), key=lambda item: len(item[1]))
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}], ingest={"path": path})
        with Connection(daemon.ingest) as connection:
            connection.send(b"".join(raw for _, raw in requests))
            self.assertEqual([connection.receive().status for _ in requests],
                             [202] * len(requests))
        self.wait_delivered(daemon, "t1")
        self.assert_delivered(receiver, requests)

    def test_retries_are_the_same_but_for_time_and_number(self):
        """Acceptance 20, the bytes."""
        _, body = CAPTURES[0].read_bytes().split(b"\r\n\r\n", 1)
        receiver = self.receiver()
        receiver.script("/hook", [500, 503, 404])
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "backoff": "100ms"}])
        self.assertEqual(daemon.post(body).status, 202)
        attempts = receiver.wait_for(4)
        self.assertEqual(len({PER_ATTEMPT.sub(b"", r.raw) for r in attempts}), 1)
        self.assertEqual([r.header("fanfare-attempt") for r in attempts], ["1", "2", "3", "4"])
        for attempt in attempts:
            self.assertRegex(attempt.header("webhook-timestamp"), r"^\d{10}$")

    def test_samples_with_every_field_and_with_none_pass_unchanged(self):
        """Acceptance 7 and 8: odd, empty and zero fields."""
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}])
        expected = []
        for file in SAMPLES:
            body = file.read_bytes()
            events = json.loads(body).get("events", [])
            answer = daemon.post(body, EVENTS_V2 if "v2" in file.name else EVENTS_V1)
            self.assertEqual((answer.status, answer.json()["accepted"]), (202, len(events)), file)
            expected += payload_slices(body) if events else []
        self.wait_delivered(daemon, "t1")
        self.assertEqual([r.body for r in receiver.received()],
                         [b'{"events":[' + payload + b"]}" for payload in expected])

    def test_unknown_fields_and_number_spellings_survive_digit_for_digit(self):
        """Acceptance 8."""
        payload = (b'{ "id" : "big", "action":"push",\n"size": 9007199254740993, "x": 1.50e+02,'
                   b' "target": {"length":18446744073709551616, "artifactType":"a/b",'
                   b' "data":"aGk="}, "dup":1,"dup":2, "u":"\\u003c\\u2028\xc3\xa9",'
                   b' "n":-0.0, "deep":[[[{"":null}]]] }')
        receiver = self.receiver()
        daemon = self.daemon([
            {"name": "envelope", "url": receiver.url("/envelope")},
            {"name": "event", "url": receiver.url("/event"), "format": "event"}])
        self.assertEqual(daemon.post(b' {"events" :\t[ ' + payload + b"\n]}\r\n").status, 202)
        enveloped, = receiver.wait_for(1, "/envelope")
        alone, = receiver.wait_for(1, "/event")
        self.assertEqual(enveloped.body, b'{"events":[' + payload + b"]}")
        self.assertEqual(alone.body, payload)
        self.assertEqual(alone.header("Content-Type"), "application/json")
