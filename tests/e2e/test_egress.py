"""Where deliveries may go, and the proxies on the way."""

import json

from harness.case import EndToEndCase
from harness.certificates import Authority
from harness.events import numbered
from harness.process import free_port, require_program
from harness.proxy import TunnelProxy
from harness.wait import wait_until

LOOPBACK = ("127.0.0.1", "localhost", "127.1", "0x7f000001", "0x7f.1", "2130706433", "0177.0.0.1",
            "017700000001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]")
METADATA = ("169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518",
            "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
            "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0", "[::]", "[fe80::1]", "224.0.0.1")


class EgressCase(EndToEndCase):
    def errors(self, daemon, endpoint, reason):
        return daemon.metrics().value("fanfare_endpoint_errors_total", endpoint=endpoint,
                                      reason=reason)

    def last_error(self, daemon, endpoint):
        state = json.loads(daemon.get(f"/v1/endpoints/{endpoint}").body)
        return state["last_error"]["message"]

    def wait_for_errors(self, daemon, endpoint, reason, count=2):
        wait_until(lambda: self.errors(daemon, endpoint, reason) >= count, 10,
                   lambda: f"{reason} at {endpoint}: {self.last_error(daemon, endpoint)}")
        metrics = daemon.metrics()
        self.assertEqual(metrics.endpoint("errors_total", endpoint),
                         metrics.value("fanfare_endpoint_errors_total", endpoint=endpoint,
                                       reason=reason))
        return self.last_error(daemon, endpoint)

    @staticmethod
    def endpoints(hosts, port):
        return [{"name": f"h{n}", "url": f"http://{host}:{port}/hook", "timeout": "5s",
                 "threshold": 2, "backoff": "50ms"} for n, host in enumerate(hosts)]


class Addresses(EgressCase):
    def test_metadata_addresses_are_blocked_by_default_in_every_spelling(self):
        daemon = self.daemon(self.endpoints(METADATA, 80))
        daemon.post(numbered(0, 1))
        for number, host in enumerate(METADATA):
            with self.subTest(host=host):
                error = self.wait_for_errors(daemon, f"h{number}", "blocked", 3)
                self.assertRegex(error, "^blocked: egress.deny refuses the address, which is in ")
                metrics = daemon.metrics()
                self.assertEqual(metrics.endpoint("connections_opened_total", f"h{number}"), 0)
                self.assertEqual(metrics.endpoint("pending_events", f"h{number}"), 1)
        self.assertIn("169.254.0.0/16 (link-local, cloud metadata)", self.last_error(daemon, "h1"))
        warned = [entry for entry in daemon.log() if entry.get("level", "").startswith("warn")
                  and '"h0"' in json.dumps(entry).replace('\\"', '"')]
        self.assertTrue(warned)

    def test_loopback_is_reached_by_default_and_not_if_all_private_ones_are_denied(self):
        receiver = self.receiver()
        endpoints = self.endpoints(LOOPBACK, receiver.port)
        strict = self.daemon(endpoints, egress={"deny": "private"})
        strict.post(numbered(0, 1))
        for number in range(len(LOOPBACK)):
            self.wait_for_errors(strict, f"h{number}", "blocked")
        self.assertEqual(receiver.connections_opened(), 0)

        for egress in ({}, {"deny": "private", "allow": ["127.0.0.0/8"]}, {"deny": "none"}):
            daemon = self.daemon(endpoints, egress=egress)
            before = receiver.count()
            daemon.post(numbered(0, 1))
            for number in range(len(LOOPBACK)):
                self.wait_delivered(daemon, f"h{number}")
            self.assertEqual(receiver.count() - before, len(LOOPBACK))

    def test_urls_that_can_never_be_reached_are_refused_at_load(self):
        file = self.directory / "fanfare.yaml"
        file.write_text("endpoints:\n  - name: t1\n    url: http://user:s3cret@a.test:8080/\n"
                        "egress: {ports: [80]}\n")
        code, out, error = self.run_fanfare("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertIn(":3:10: error: endpoints[0].url: has a port that is not in egress.ports",
                      out + error)
        self.assertNotIn("s3cret", out + error)


class Proxies(EgressCase):
    def proxy(self, **options):
        proxy = TunnelProxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    def start(self, url, proxy, egress=None, env=None, **endpoint):
        config = {} if egress is None else {"egress": egress}
        daemon = self.daemon([{"name": "t1", "url": url, "proxy": proxy, "timeout": "2s",
                               "threshold": 2, "backoff": "50ms", **endpoint}], env=env, **config)
        daemon.post(numbered(0, 3))
        return daemon

    def secure_receiver(self):
        require_program("openssl")
        authority = Authority(self.directory)
        receiver = self.receiver(tls=authority.server_context("server"))
        return receiver, {"ca_file": str(authority.file)}

    def assert_shown_nowhere(self, daemon, secrets):
        for text in (daemon.text(), daemon.metrics().text, daemon.get("/debug/vars").body.decode(),
                     daemon.get("/v1/endpoints/t1").body.decode(),
                     daemon.get("/v1/config").body.decode()):
            self.assertNotRegex(text, secrets)

    def test_http_url_is_asked_for_as_a_whole(self):
        proxy = self.receiver()
        daemon = self.start("http://receiver.invalid:81/hook?a=b",
                            f"http://me:s3cret@127.0.0.1:{proxy.port}")
        self.wait_delivered(daemon, "t1")
        received = proxy.received()
        self.assertEqual({r.target for r in received}, {"http://receiver.invalid:81/hook?a=b"})
        self.assertEqual({r.header("Host") for r in received}, {"receiver.invalid:81"})
        self.assertEqual({r.header("Proxy-Authorization") for r in received},
                         {"Basic bWU6czNjcmV0"})
        self.assertEqual(proxy.connections_opened(), 1)
        self.assertIn("\"proxy\"", daemon.get("/v1/endpoints/t1").body.decode())
        self.assert_shown_nowhere(daemon, "s3cret|bWU6czNjcmV0")

    def test_https_url_is_reached_through_a_tunnel(self):
        receiver, tls = self.secure_receiver()
        proxy = self.proxy()
        daemon = self.start(receiver.url(host="localhost"), proxy.url("me:s3cret@"), tls=tls)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ["e0", "e1", "e2"])
        self.assertEqual({r.header("Proxy-Authorization") for r in receiver.received()}, {None})
        (start, headers), = proxy.asked()
        self.assertEqual(start, f"CONNECT localhost:{receiver.port} HTTP/1.1")
        self.assertEqual(headers["Host"], f"localhost:{receiver.port}")
        self.assertEqual(headers["Proxy-Authorization"], "Basic bWU6czNjcmV0")
        self.assert_shown_nowhere(daemon, "s3cret|bWU6czNjcmV0")

    def test_a_tunnel_does_not_spare_the_receiver_its_certificate(self):
        receiver, _ = self.secure_receiver()
        daemon = self.start(receiver.url(host="localhost"), self.proxy().url())
        self.wait_for_errors(daemon, "t1", "tls")
        self.assertEqual(receiver.count(), 0)

    def test_the_status_that_a_proxy_refuses_with_is_told(self):
        for status in (407, 403, 502, 101, 301):
            proxy = self.proxy(answer=b"HTTP/1.1 %d No\r\nContent-Length: 4\r\n\r\nno\r\n" % status)
            daemon = self.start("https://receiver.invalid/", proxy.url("me:s3cret@"))
            self.assertEqual(self.wait_for_errors(daemon, "t1", "connect"),
                             f"connect: the proxy answered CONNECT with status {status}")
            self.assert_shown_nowhere(daemon, "s3cret|bWU6czNjcmV0")

    def test_a_proxy_that_wants_a_password_costs_no_event(self):
        """Under exponential a receiver's 407 would be permanent."""
        proxy = self.receiver()
        proxy.script("http://receiver.invalid/", [407, 407])
        daemon = self.daemon([{"name": "t1", "url": "http://receiver.invalid/",
                               "proxy": f"http://127.0.0.1:{proxy.port}", "timeout": "2s",
                               "retry": {"strategy": "exponential", "initial": "20ms"}}])
        daemon.post(numbered(0, 3))
        self.assertEqual(self.wait_for_errors(daemon, "t1", "connect"),
                         "connect: the proxy answered with status 407")
        self.wait_delivered(daemon, "t1")
        self.assertEqual(daemon.metrics().endpoint("successes_total", "t1"), 3)

    def test_a_proxy_that_cannot_be_reached_is_told(self):
        for url in ("http://receiver.invalid/", "https://receiver.invalid/"):
            daemon = self.start(url, f"http://127.0.0.1:{free_port()}")
            self.assertEqual(self.wait_for_errors(daemon, "t1", "connect"),
                             "connect: the proxy cannot be reached: Connection refused")

    def test_a_proxy_that_misbehaves_costs_an_attempt_and_nothing_else(self):
        def endless():
            yield b"HTTP/1.1 200 OK\r\n"
            while True:
                yield b"X-Padding: " + b"x" * 60_000 + b"\r\n"

        cases = {"not HTTP": b"SSH-2.0-OpenSSH\r\n\r\n", "behind": b"HTTP/1.1 200 OK\r\n\r\n\x15\x03",
                 "ended": b"HTTP/1.1 200", "is not HTTP": endless}
        for expected, answer in cases.items():
            with self.subTest(expected):
                daemon = self.start("https://receiver.invalid/", self.proxy(answer=answer).url())
                self.assertIn(expected, self.wait_for_errors(daemon, "t1", "connect", 10))
                self.assertLess(daemon.metrics().value("process_resident_memory_bytes"), 60e6)

    def test_a_proxy_that_never_answers_is_a_timeout(self):
        proxy = self.proxy(silent=True)
        daemon = self.start("https://receiver.invalid/", proxy.url(), timeout="200ms")
        self.wait_for_errors(daemon, "t1", "timeout")

    def test_listed_hosts_are_reached_without_it(self):
        receiver = self.receiver()
        proxy = self.receiver()
        daemon = self.start(receiver.url(), f"http://127.0.0.1:{proxy.port}",
                            no_proxy=["127.0.0.0/8"])
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ["e0", "e1", "e2"])
        self.assertEqual(proxy.connections_opened(), 0)

    def test_the_environment_names_no_proxy(self):
        receiver = self.receiver()
        proxy = self.receiver()
        where = f"http://127.0.0.1:{proxy.port}"
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}],
                             env={name: where for name in names})
        daemon.post(numbered(0, 3))
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.count(), 3)
        self.assertEqual(proxy.connections_opened(), 0)

    def test_the_policy_holds_for_the_proxy_and_for_what_it_is_asked_for(self):
        proxy = self.receiver()
        where = f"http://127.0.0.1:{proxy.port}"
        strict = self.start("http://receiver.invalid/", where, egress={"deny": "private"})
        self.wait_for_errors(strict, "t1", "blocked")
        for url in ("http://169.254.169.254/", "https://169.254.169.254/", "http://2852039166/",
                    "http://[::ffff:a9fe:a9fe]/", "http://169.254.169.254./"):
            self.wait_for_errors(self.start(url, where), "t1", "blocked")
        self.assertEqual(proxy.connections_opened(), 0)
