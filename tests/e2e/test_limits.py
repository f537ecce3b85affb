"""Bounds of the ingest listener: size, number, memory, time, tokens, certificates."""

from harness.case import EndToEndCase
from harness.certificates import Authority
from harness.events import envelope, event, ids, numbered
from harness.http import Connection, fetch, request_bytes
from harness.process import free_port, require_program
from harness.receiver import Receiver
from harness.wait import wait_until


class Sizes(EndToEndCase):
    def start(self, **ingest):
        self.receiver_ = self.receiver()
        return self.daemon([{"name": "t1", "url": self.receiver_.url()}], ingest=ingest)

    def test_body_up_to_max_body_is_taken_one_byte_more_is_not(self):
        daemon = self.start(max_body="1KiB")
        body = b'{"id":"' + b"x" * (1024 - 9) + b'"}'
        self.assertEqual(daemon.post(body, "application/json").status, 202)
        self.assertEqual(daemon.post(body + b" ", "application/json").status, 413)
        self.assertEqual(self.receiver_.wait_for(1)[0].events()[0]["id"], "x" * 1015)

    def test_chunked_body_is_stopped_while_it_comes(self):
        daemon = self.start(max_body="64KiB")
        with Connection(daemon.ingest) as connection:
            connection.send(request_bytes("POST", "/events", b"",
                                          (("Transfer-Encoding", "chunked"),)))
            for _ in range(5):
                connection.send(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
            self.assertEqual(connection.receive().status, 413)

    def test_more_events_than_max_events_are_refused_as_a_whole(self):
        daemon = self.start(max_events=10)
        self.assertEqual(daemon.post(numbered(0, 10)).status, 202)
        self.assertEqual(daemon.post(numbered(10, 11)).status, 413)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(self.receiver_.accepted_ids(), ids(0, 10))

    def test_head_too_large(self):
        daemon = self.start()
        answer = daemon.post(b"{}", headers=(("X-Large", "x" * 100_000),))
        self.assertEqual(answer.status, 431)

    def test_more_connections_than_max_connections(self):
        daemon = self.start(max_connections=3)
        held = [Connection(daemon.ingest) for _ in range(3)]
        for connection in held:
            self.addCleanup(connection.close)
            self.assertEqual(connection.request("POST", "/events", numbered(0, 1)).status, 202)
        with Connection(daemon.ingest) as one_too_many:
            answer = one_too_many.receive()
            self.assertEqual(answer.status, 503)
            self.assertIsNotNone(answer.header("Retry-After"))
        held[0].close()
        wait_until(lambda: self._can_post(daemon), what="a place for another connection")

    @staticmethod
    def _can_post(daemon):
        with Connection(daemon.ingest) as connection:
            try:
                answer = connection.request("POST", "/events", numbered(1, 1))
            except ConnectionError:
                return False
            return answer is not None and answer.status == 202


class Memory(EndToEndCase):
    def test_queue_full_is_503_until_the_backlog_is_gone(self):
        """SPEC 12: the process's bound, and taking again below 90 % of it."""
        port = free_port()
        daemon = self.daemon([{"name": "t1", "url": f"http://127.0.0.1:{port}/hook",
                               "timeout": "5s", "threshold": 1, "backoff": "50ms",
                               "queue": {"max_bytes": 0}}],
                             queue={"max_bytes": "1MiB"})
        taken, answer = self.fill(daemon)
        self.assertGreater(taken, 3)
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        self.assertTrue(answer.error_codes())
        self.assertLessEqual(daemon.metrics().endpoint("pending_bytes", "t1"), 1 << 20)

        receiver = Receiver(port=port)
        self.addCleanup(receiver.close)

        self.wait_delivered(daemon, "t1")
        self.assertEqual(daemon.post(self.large(taken)).status, 202)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), [f"large-{n}" for n in range(taken + 1)])

    @staticmethod
    def large(number):
        return envelope(event(f"large-{number}", filler="x" * 64_000))

    def fill(self, daemon):
        for number in range(100):
            answer = daemon.post(self.large(number))
            if answer.status != 202:
                return number, answer
        self.fail("6 MB taken, although queue.max_bytes is 1 MiB")


class SlowClients(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.fanfare = self.daemon(ingest={"header_timeout": "300ms", "body_timeout": "300ms",
                                           "idle_timeout": "300ms"})

    def test_head_that_does_not_end(self):
        with Connection(self.fanfare.ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost:")
            self.assertEqual(connection.receive().status, 408)
            self.assertTrue(connection.is_closed_within(5))

    def test_body_that_does_not_end(self):
        with Connection(self.fanfare.ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
            self.assertEqual(connection.receive().status, 408)
            self.assertTrue(connection.is_closed_within(5))

    def test_idle_connection_is_closed_silently(self):
        with Connection(self.fanfare.ingest) as connection:
            self.assertEqual(connection.request("POST", "/events", b'{"events":[]}').status, 202)
            self.assertTrue(connection.is_closed_within(5))

    def test_many_slow_clients_do_not_hold_a_quick_one_up(self):
        slow = [Connection(self.fanfare.ingest) for _ in range(100)]
        for connection in slow:
            self.addCleanup(connection.close)
            connection.send(b"POST /events HTTP/1.1\r\nHost:")
        self.assertEqual(self.fanfare.post(b'{"events":[]}').status, 202)


class Tokens(EndToEndCase):
    def test_ingest_asks_for_its_bearer_token(self):
        file = self.directory / "token"
        file.write_text("s3cret-token\n")
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}],
                             ingest={"bearer_token_file": str(file)})
        without = daemon.post(numbered(0, 1))
        self.assertEqual(without.status, 401)
        self.assertIn("Bearer", without.header("WWW-Authenticate"))
        wrong = daemon.post(numbered(0, 1), headers=(("Authorization", "Bearer s3cret-tokem"),))
        self.assertIn(wrong.status, (401, 403))
        right = daemon.post(numbered(0, 1), headers=(("Authorization", "Bearer s3cret-token"),))
        self.assertEqual(right.status, 202)
        self.wait_delivered(daemon, "t1")
        self.assertNotIn("s3cret", daemon.text())
        self.assertNotIn("s3cret", daemon.metrics().text)
        self.assertNotIn("s3cret", daemon.get("/v1/endpoints").body.decode())


class Tls(EndToEndCase):
    def setUp(self):
        super().setUp()
        require_program("openssl")
        self.authority = Authority(self.directory)
        self.receiver_ = self.receiver()

    def start(self, ingest=None, **tls):
        certificate, key = self.authority.issue("ingest")
        return self.daemon([{"name": "t1", "url": self.receiver_.url()}], ingest={
            "tls": {"cert_file": str(certificate), "key_file": str(key), **tls},
            **(ingest or {})})

    def test_client_that_does_not_shake_hands_is_let_go(self):
        daemon = self.start(ingest={"header_timeout": "300ms", "idle_timeout": "300ms"})
        for first_bytes in (b"", b"\x16\x03\x01"):
            with Connection(daemon.ingest) as connection:
                connection.send(first_bytes)
                self.assertTrue(connection.is_closed_within(5), first_bytes)

    def test_https_ingest(self):
        daemon = self.start()
        tls = self.authority.client_context()
        answer = fetch(daemon.ingest, "POST", "/events", numbered(0, 1), tls=tls)
        self.assertEqual(answer.status, 202)
        self.assertEqual(self.receiver_.wait_for(1)[0].event_ids(), ["e0"])

    def test_plain_http_and_noise_at_an_https_port_do_no_harm(self):
        daemon = self.start()
        for noise in (request_bytes("POST", "/events", b"{}"), b"\x16\x03\x01\xff\xff" * 100):
            with Connection(daemon.ingest) as connection:
                connection.send(noise)
                connection.rest()
        answer = fetch(daemon.ingest, "POST", "/events", numbered(0, 1),
                       tls=self.authority.client_context())
        self.assertEqual(answer.status, 202)

    def test_client_certificate_is_asked_for(self):
        daemon = self.start(client_ca_file=str(self.authority.file))
        with self.assertRaises((OSError, AssertionError)):
            fetch(daemon.ingest, "POST", "/events", numbered(0, 1),
                  tls=self.authority.client_context())
        with_certificate = self.authority.client_context()
        with_certificate.load_cert_chain(*self.authority.issue("client"))
        answer = fetch(daemon.ingest, "POST", "/events", numbered(1, 1), tls=with_certificate)
        self.assertEqual(answer.status, 202)
        self.assertEqual(self.receiver_.wait_for(1)[0].event_ids(), ["e1"])
