"""What receivers answer, and how the daemon takes it; what the delivered request looks like."""

from harness.case import EndToEndCase
from harness.certificates import Authority
from harness.events import numbered
from harness.process import free_port, require_program
from harness.receiver import Answer, CLOSE, HANG, RESET
from harness.wait import stays_true, wait_until


class Statuses(EndToEndCase):
    def start(self, **endpoint):
        self.receiver_ = self.receiver()
        return self.daemon([{"name": "t1", "url": self.receiver_.url(), "threshold": 50,
                             "backoff": "50ms", **endpoint}])

    def deliver(self, daemon, answers):
        """Has one event answered like this, then with 200; the difference in metrics."""
        before = daemon.metrics()
        self.receiver_.script("/hook", answers)
        self.assertEqual(daemon.post(numbered(0, 1)).status, 202)
        self.wait_delivered(daemon, "t1")
        after = daemon.metrics()
        return {name: after.endpoint(f"{name}_total", "t1") - before.endpoint(f"{name}_total", "t1")
                for name in ("successes", "failures", "errors", "responses", "retries")}

    def test_2xx_is_delivered(self):
        """Acceptance 17, as far as the default goes."""
        daemon = self.start()
        for status in (200, 201, 202, 204, 299):
            self.assertEqual(self.deliver(daemon, [status]),
                             {"successes": 1, "failures": 0, "errors": 0, "responses": 1,
                              "retries": 0}, status)
            self.assertEqual(daemon.metrics().value(
                "fanfare_endpoint_responses_total", endpoint="t1", code=str(status)), 1)

    def test_3xx_is_delivered_if_success_says_so(self):
        """Acceptance 17: `success: [200-399]` restores the registry's reading."""
        daemon = self.start(success=["200-399"])
        for status in (300, 302, 304, 307):
            self.assertEqual(self.deliver(daemon, [status])["successes"], 1, status)
        self.assertEqual(self.receiver_.count(), 4)

    def test_other_statuses_are_failures_and_retried(self):
        """Acceptance 18."""
        daemon = self.start()
        for status in (300, 304, 400, 401, 404, 410, 413, 500, 501, 502):
            self.assertEqual(self.deliver(daemon, [status]),
                             {"successes": 1, "failures": 1, "errors": 0, "responses": 2,
                              "retries": 1}, status)

    def test_429_and_503_are_failures_and_retried(self):
        """Acceptance 18, without Retry-After."""
        daemon = self.start()
        for status in (429, 503):
            self.assertEqual(self.deliver(daemon, [status])["failures"], 1, status)

    def test_redirects_are_failures_and_never_followed(self):
        """Acceptance 25: neither on this host nor to another, so nothing can loop or leak."""
        other = self.receiver()
        daemon = self.start(headers={"Authorization": ["Bearer keep-this"]})
        for status in (301, 302, 303, 307, 308):
            for target in ("/other", self.receiver_.url("/hook"), other.url("/stolen")):
                counts = self.deliver(daemon, [Answer(status, (("Location", target),))])
                self.assertEqual((counts["failures"], counts["errors"]), (1, 0), (status, target))
        self.assertEqual(other.count(), 0)
        self.assertEqual(self.receiver_.count("/other"), 0)
        self.assertEqual({r.method for r in self.receiver_.received()}, {"POST"})

    def test_reset_and_close_without_an_answer_are_errors(self):
        """Acceptance 19."""
        daemon = self.start(timeout="2s")
        for answer in (RESET, CLOSE):
            counts = self.deliver(daemon, [answer] * 3)
            # On a kept-alive connection one such end is not the endpoint's fault and not counted.
            self.assertGreaterEqual(counts["errors"], 2, answer)
            self.assertEqual((counts["failures"], counts["successes"]), (0, 1), answer)
        self.assertGreaterEqual(daemon.metrics().value(
            "fanfare_endpoint_errors_total", endpoint="t1", reason="reset"), 4)

    def test_answers_that_are_no_http_are_errors(self):
        """Acceptance 19; SPEC 4: answers are read as strictly as requests."""
        daemon = self.start(timeout="2s")
        bad = [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
               b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n"]
        for data in bad:
            counts = self.deliver(daemon, [Answer(how="raw", body=data)])
            self.assertEqual((counts["errors"], counts["successes"]), (1, 1), data[:60])
        self.assertEqual(daemon.metrics().value("fanfare_endpoint_errors_total", endpoint="t1",
                                                reason="protocol"), len(bad))

    def test_interim_answers_are_skipped(self):
        daemon = self.start()
        early = (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                 b"HTTP/1.1 204 No Content\r\n\r\n")
        counts = self.deliver(daemon, [Answer(how="raw", body=early)])
        self.assertEqual((counts["successes"], counts["retries"]), (1, 0))

    def test_large_answer_is_not_read_to_its_end(self):
        daemon = self.start(timeout="5s")
        endless = Answer(how="raw", body=b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
                         + b"x" * 1_000_000)
        counts = self.deliver(daemon, [endless])
        self.assertEqual((counts["successes"], counts["retries"]), (1, 0))

    def test_idle_connection_closed_by_the_receiver_is_no_failure(self):
        """A reused connection that turns out closed: repeated at once, not counted."""
        daemon = self.start()
        for _ in range(3):
            counts = self.deliver(daemon, [CLOSE] if self.receiver_.count() else [])
            self.assertEqual((counts["errors"], counts["failures"]), (0, 0))

    def test_answers_in_other_good_forms(self):
        daemon = self.start()
        forms = [b"HTTP/1.0 200 OK\r\n\r\nread to the end",
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                 b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"]
        for data in forms:
            counts = self.deliver(daemon, [Answer(how="raw", body=data)])
            self.assertEqual((counts["successes"], counts["retries"]), (1, 0), data)

    def test_connection_is_closed_if_the_receiver_says_so(self):
        daemon = self.start()
        for _ in range(3):
            counts = self.deliver(daemon, [Answer(200, (("Connection", "close"),))])
            self.assertEqual((counts["successes"], counts["errors"]), (1, 0))
        self.assertEqual(self.receiver_.connections_opened(), 3)

    def test_nobody_listens(self):
        """Acceptance 19: refused."""
        daemon = self.daemon([{"name": "t1", "url": f"http://127.0.0.1:{free_port()}/",
                               "threshold": 2, "backoff": "50ms"}])
        daemon.post(numbered(0, 1))
        wait_until(lambda: daemon.metrics().value("fanfare_endpoint_errors_total", endpoint="t1",
                                                  reason="connect") >= 3)
        self.assertEqual(daemon.metrics().endpoint("responses_total", "t1"), 0)
        self.assertEqual(daemon.pending("t1"), 1)

    def test_name_that_does_not_exist(self):
        daemon = self.daemon([{"name": "t1", "url": "http://no-such-host.invalid/",
                               "timeout": "5s", "backoff": "100ms"}])
        daemon.post(numbered(0, 1))
        wait_until(lambda: daemon.metrics().endpoint("errors_total", "t1") >= 1, 15)
        self.assertGreaterEqual(daemon.metrics().value(
            "fanfare_endpoint_errors_total", endpoint="t1", reason="dns"), 1)

    def test_hanging_receiver_is_a_timeout(self):
        """Acceptance 19."""
        daemon = self.start(timeout="200ms")
        counts = self.deliver(daemon, [HANG] * 2)
        self.assertEqual((counts["errors"], counts["failures"]), (2, 0))
        self.assertEqual(daemon.metrics().value("fanfare_endpoint_errors_total", endpoint="t1",
                                                reason="timeout"), 2)


class Requests(EndToEndCase):
    """Acceptance 26 and 27."""

    def deliver_one(self, url=None, **endpoint):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": url(receiver) if url else receiver.url(
            "/hook?source=registry&x=%20"), **endpoint}])
        daemon.post(numbered(0, 1))
        received, = receiver.wait_for(1)
        return daemon, receiver, received

    def test_what_is_sent_by_default(self):
        _, receiver, received = self.deliver_one()
        self.assertEqual((received.method, received.target, received.version),
                         ("POST", "/hook?source=registry&x=%20", "HTTP/1.1"))
        names = [name.lower() for name, _ in received.headers]
        self.assertEqual(len(names), len(set(names)), names)
        self.assertEqual(received.header("Host"), f"127.0.0.1:{receiver.port}")
        self.assertRegex(received.header("User-Agent"), r"^fanfare/\d+\.\d+\.\d+")
        self.assertEqual(received.header("Content-Length"), str(len(received.body)))
        self.assertEqual(received.header("webhook-id"), "e0")
        self.assertEqual(received.header("fanfare-attempt"), "1")

    def test_configured_headers(self):
        _, _, received = self.deliver_one(headers={
            "Authorization": ["Bearer tok"], "X-Two": ["one", "two"], "x-lower": "z",
            "User-Agent": ["mine/1"], "Content-Type": ["text/x-mine"], "X-None": []})
        self.assertEqual(received.all("Authorization"), ["Bearer tok"])
        self.assertEqual(received.all("X-Two"), ["one", "two"])
        self.assertIn(("x-lower", "z"), received.headers)
        self.assertEqual(received.all("User-Agent"), ["mine/1"])
        self.assertEqual(received.all("Content-Type"), ["text/x-mine"])
        self.assertEqual(received.all("X-None"), [])

    def test_headers_that_cannot_be_configured_are_refused_at_load(self):
        for name in ("Host", "Content-Length", "Transfer-Encoding", "Connection", "host"):
            daemon = self.daemon([{"name": "t1", "url": "http://127.0.0.1:1/",
                                   "headers": {name: ["x"]}}], ready=False)
            daemon.expected_exit = 78
            self.assertEqual(daemon.wait(), 78, name)
            self.assertIn(name, daemon.text())

    def assert_shown_nowhere(self, daemon, secrets):
        """A regular expression that nothing the daemon tells about itself may contain."""
        for text in (daemon.text(), daemon.metrics().text,
                     *(daemon.get(path).body.decode() for path in
                       ("/v1/endpoints", "/v1/endpoints/t1", "/debug/vars"))):
            self.assertNotRegex(text, secrets)

    def test_userinfo_becomes_basic_authorization_and_is_shown_nowhere(self):
        """Acceptance 27."""
        daemon, receiver, received = self.deliver_one(
            url=lambda receiver: f"http://user:pa%20ss@127.0.0.1:{receiver.port}/hook")
        self.assertEqual(received.header("Authorization"), "Basic dXNlcjpwYSBzcw==")
        self.assertNotIn("@", received.header("Host"))
        self.fail_once(daemon, receiver)
        self.assert_shown_nowhere(daemon, "pa%20ss|pa ss|user:|dXNlcjpwYSBzcw")

    def test_header_values_are_shown_nowhere(self):
        daemon, receiver, _ = self.deliver_one(headers={"Authorization": ["Bearer top-s3cret"]})
        self.fail_once(daemon, receiver)
        self.assert_shown_nowhere(daemon, "s3cret")

    def fail_once(self, daemon, receiver):
        """Failures are what is logged and shown with most detail."""
        receiver.script("/hook", [500, HANG, CLOSE])
        daemon.post(numbered(1, 1))
        wait_until(lambda: daemon.log_entries(msg="delivery failed"))
        self.wait_delivered(daemon, "t1")

class Https(EndToEndCase):
    """Acceptance 28."""

    def setUp(self):
        super().setUp()
        require_program("openssl")
        self.authority = Authority(self.directory)

    def start(self, receiver, host="localhost", **tls):
        daemon = self.daemon([{
            "name": "t1", "url": receiver.url(host=host), "timeout": "2s", "backoff": "50ms",
            "threshold": 1, "tls": tls}])
        daemon.post(numbered(0, 3))
        return daemon

    def assert_delivers(self, daemon, receiver):
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ["e0", "e1", "e2"])
        self.assertEqual(receiver.connections_opened() - receiver.tls_failures, 1)

    def assert_tls_error(self, daemon, receiver, why):
        wait_until(lambda: daemon.metrics().value("fanfare_endpoint_errors_total", endpoint="t1",
                                                  reason="tls") >= 2)
        self.assertTrue(stays_true(lambda: receiver.count() == 0, 0.2))
        self.assertEqual(daemon.pending("t1"), 3)
        self.assertEqual(daemon.get("/v1/endpoints/t1").json()["last_error"]["message"],
                         f"tls: certificate refused: {why}")

    def test_works_with_the_private_authority(self):
        receiver = self.receiver(tls=self.authority.server_context("server"))
        for host in ("localhost", "127.0.0.1"):
            daemon = self.start(receiver, host, ca_file=str(self.authority.file))
            self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ["e0", "e1", "e2"] * 2)
        self.assertEqual(receiver.connections_opened(), 2)

    def test_fails_without_it(self):
        receiver = self.receiver(tls=self.authority.server_context("server"))
        self.assert_tls_error(self.start(receiver), receiver,
                              "unable to get local issuer certificate")

    def test_fails_for_another_host_name(self):
        context = self.authority.server_context("server", "DNS:elsewhere.example")
        receiver = self.receiver(tls=context)
        self.assert_tls_error(self.start(receiver, ca_file=str(self.authority.file)), receiver,
                              "hostname mismatch")

    def test_server_name_stands_for_the_host(self):
        context = self.authority.server_context("server", "DNS:elsewhere.example")
        receiver = self.receiver(tls=context)
        self.assert_delivers(self.start(receiver, ca_file=str(self.authority.file),
                                        server_name="elsewhere.example"), receiver)

    def test_a_new_authority_is_trusted_without_a_restart(self):
        """SPEC 13: certificate files are re-read on change."""
        receiver = self.receiver(tls=self.authority.server_context("server"))
        (self.directory / "elsewhere").mkdir()
        elsewhere = Authority(self.directory / "elsewhere")
        daemon = self.start(receiver, ca_file=str(elsewhere.file))
        wait_until(lambda: daemon.metrics().endpoint("errors_total", "t1") >= 2)
        elsewhere.file.write_bytes(b"nothing yet")
        wait_until(lambda: daemon.log_entries(
            msg="certificate files are of no use, the last ones stay", endpoint="t1"))
        elsewhere.file.write_bytes(self.authority.file.read_bytes())
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ["e0", "e1", "e2"])

    def test_skipping_verification_works_and_is_warned_about(self):
        receiver = self.receiver(tls=self.authority.server_context("server"))
        daemon = self.start(receiver, insecure_skip_verify=True)
        self.assert_delivers(daemon, receiver)
        self.assertTrue([entry for entry in daemon.log()
                         if entry.get("level", "").startswith("warn")
                         and entry.get("endpoint") == "t1"])
