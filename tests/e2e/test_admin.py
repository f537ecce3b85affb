"""The admin listener."""

import socket

from harness.case import EndToEndCase
from harness.http import fetch


class Admin(EndToEndCase):
    def test_routes_and_errors(self):
        daemon = self.daemon([{"name": "a", "url": "http://127.0.0.1:1/"}])
        for path in ("/metrics", "/healthz", "/readyz", "/debug/vars", "/v1/endpoints"):
            self.assertEqual(daemon.get(path).status, 200, path)
        self.assertRegex(daemon.get("/metrics").header("Content-Type"), r"^text/plain; version=0")
        missing = daemon.get("/no/such/route")
        self.assertEqual(missing.status, 404)
        self.assertTrue(missing.error_codes())
        wrong_method = fetch(daemon.admin, "DELETE", "/v1/endpoints")
        self.assertEqual(wrong_method.status, 405)
        self.assertIn("GET", wrong_method.header("Allow"))

    def test_every_series_exists_from_the_start(self):
        daemon = self.daemon([{"name": "a", "url": "http://127.0.0.1:1/"}])
        metrics = daemon.metrics()
        for name, reasons in {
                "errors": ("dns", "connect", "tls", "timeout", "reset", "protocol", "blocked"),
                "dropped_events": ("overflow", "shutdown", "removed", "purged", "exception"),
                "dead_letters": ("permanent", "max_attempts", "max_age", "gone", "overflow",
                                 "exception", "corrupt")}.items():
            for reason in reasons:
                self.assertEqual(metrics.value(f"fanfare_endpoint_{name}_total", endpoint="a",
                                               reason=reason), 0)
        for name in ("events", "ignored_events", "successes", "failures", "retries",
                     "connections_opened"):
            self.assertEqual(metrics.value(f"fanfare_endpoint_{name}_total", endpoint="a"), 0)

    def test_bearer_token_is_not_needed_on_loopback(self):
        token = self.directory / "token"
        token.write_text("admin-s3cret")
        daemon = self.daemon(admin={"bearer_token_file": str(token)})
        self.assertEqual(daemon.get("/v1/endpoints").status, 200)

    def test_peer_from_elsewhere_needs_the_token(self):
        """The machine's own address on another interface is no loopback peer."""
        address = own_address()
        if address is None:
            self.skipTest("no interface but loopback")
        token = self.directory / "token"
        token.write_text("admin-s3cret\n")
        daemon = self.daemon(admin={"listen": f"{address}:0", "bearer_token_file": str(token)})
        for path in ("/metrics", "/healthz", "/readyz"):
            self.assertEqual(daemon.get(path).status, 200, path)
        self.assertIn(daemon.get("/v1/endpoints").status, (401, 403))
        self.assertIn(daemon.get("/debug/vars").status, (401, 403))
        answer = daemon.get("/v1/endpoints", (("Authorization", "Bearer admin-s3cret"),))
        self.assertEqual(answer.status, 200)


def own_address():
    """An IPv4 address of this machine that is not loopback; None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address
