"""Requests on the edge of HTTP/1.1 and beyond it, against the running daemon."""

import json

from harness.case import DATA, EndToEndCase
from harness.events import envelope, event
from harness.http import Connection, request_bytes
from harness.wait import wait_until

CASES = json.loads((DATA / "http-requests.json").read_text())


class Framing(EndToEndCase):
    """The path of these requests is /e."""

    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url()}],
                                   ingest={"path": "/e"})

    def behind(self, name):
        """A well-formed request with one event, put right behind the one in question."""
        return request_bytes("POST", "/e", envelope(event(name)))

    def check(self, case, send):
        """Sends the request and a good one behind it; the statuses of all answers."""
        raw = bytes.fromhex(case["hex"])
        with Connection(self.fanfare.ingest) as connection:
            send(connection, raw)
            statuses = []
            while (answer := connection.receive()) is not None:
                statuses.append(answer.status)
                if answer.status >= 400:
                    self.assertTrue(answer.error_codes(), case["name"])
                if len(statuses) == 2:
                    break
                if answer.header("Connection") == "close":
                    self.assertEqual(connection.rest(), b"", case["name"])
                    break
        return statuses

    def check_all(self, send, mark):
        executed = []
        for case in CASES:
            with self.subTest(name=case["name"], why=case["why"]):
                name = f"{mark}-{case['name']}"
                statuses = self.check(case, lambda c, raw, n=name: send(c, raw, self.behind(n)))
                self.assertTrue(statuses, "no answer at all")
                # "abc" is no JSON: a request that is framed well is answered 400 all the same,
                # but the connection goes on, and what stands behind is a request of its own.
                self.assertTrue(400 <= statuses[0] < 600, statuses)
                if case["verdict"] == "accept":
                    self.assertEqual(statuses, [400, 202])
                elif case["verdict"] == "reject":
                    self.assertEqual(len(statuses), 1, statuses)
                if statuses[1:] == [202]:
                    executed.append(name)
        return executed

    def assert_only_these_arrived(self, executed):
        """What stood behind a refused request has left no trace."""
        wait_until(lambda: self.receiver_.count() >= len(executed))
        self.wait_delivered(self.fanfare, "t1")
        self.assertEqual(sorted(self.receiver_.accepted_ids()), sorted(executed))
        self.assertEqual(self.fanfare.metrics().value("fanfare_ingest_events_total"),
                         len(executed))

    def test_verdicts_and_nothing_smuggled(self):
        """Each request and the one behind it in one piece."""
        executed = self.check_all(lambda c, raw, behind: c.send(raw + behind), "whole")
        self.assert_only_these_arrived(executed)

    def test_verdicts_one_byte_at_a_time(self):
        def send(connection, raw, behind):
            connection.send_bytewise(raw)
            try:
                connection.send(behind)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused and closed before all was sent
        executed = self.check_all(send, "bytewise")
        self.assert_only_these_arrived(executed)

    def test_expect_100_continue_is_answered_first(self):
        body = envelope(event("late"))
        head = request_bytes("POST", "/e", body, (("Expect", "100-continue"),))[:-len(body)]
        with Connection(self.fanfare.ingest) as connection:
            connection.send(head)
            self.assertEqual(connection.receive_interim().status, 100)
            connection.send(body)
            self.assertEqual(connection.receive().status, 202)

    def test_chunked_body_split_anywhere(self):
        body = envelope(event("chunked"))
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                           for i in range(0, len(body), 7)) + b"0\r\n\r\n"
        raw = request_bytes("POST", "/e", b"", (("Transfer-Encoding", "chunked"),)) + chunked
        with Connection(self.fanfare.ingest) as connection:
            connection.send_bytewise(raw)
            self.assertEqual(connection.receive().status, 202)
            self.assertEqual(
                connection.request("POST", "/e", envelope(event("next"))).status, 202)

    def test_http_1_0_closes_after_its_answer(self):
        body = envelope(event("old"))
        with Connection(self.fanfare.ingest) as connection:
            connection.send(b"POST /e HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            self.assertEqual(connection.receive().status, 202)
            self.assertTrue(connection.is_closed_within(5))
