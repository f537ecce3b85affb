"""A real Prometheus behind the daemon."""

import subprocess

from harness.case import EndToEndCase
from harness.events import envelope, event, numbered
from harness.process import free_port, require_program
from harness.prometheus import Prometheus
from harness.receiver import Answer, HANG
from harness.wait import wait_until

COUNTERS = {
    # expression (fanfare_endpoint_ is put in front): what it must be
    'events_total{endpoint="good"}': 5,
    'events_total{endpoint="picky"}': 3,
    'replayed_events_total{endpoint="picky"}': 0,
    'ignored_events_total{endpoint="picky"}': 2,
    'ignored_events_total{endpoint="good"}': 0,
    'replayed_events_total{endpoint="good"}': 0,
    'meta_events_total{endpoint="good"}': 0,
    'restored_events_total{endpoint="good"}': 0,
    'successes_total{endpoint="good"}': 5,
    'successes_total{endpoint="bad"}': 0,
    'responses_total{endpoint="good",code="200"}': 5,
    'retries_total{endpoint="good"}': 0,
    'failures_total{endpoint="good"}': 0,
    'dead_letters_total{endpoint="once",reason="max_attempts"}': 5,
    'dropped_events_total{endpoint="good",reason="shutdown"}': 0,
    'connections_opened_total{endpoint="good"}': 1,
    'request_duration_seconds_count{endpoint="good"}': 5,
    'request_duration_seconds_bucket{endpoint="good",le="+Inf"}': 5,
    'delivery_latency_seconds_count{endpoint="good"}': 5,
    'errors_total{endpoint="good",reason="connect"}': 0,
    'pending_events{endpoint="good"}': 0,
    'pending_events{endpoint="bad"}': 5,
    'pending_events{endpoint="gone"}': 5,
    'pending_bytes{endpoint="good"}': 0,
    'in_flight_requests{endpoint="stuck"}': 1,
    'in_flight_requests{endpoint="good"}': 0,
    'oldest_pending_seconds{endpoint="good"}': 0,
    'breaker_open{endpoint="bad"}': 1,
    'breaker_open{endpoint="good"}': 0,
    'paused{endpoint="good"}': 0,
    'up{endpoint="good"}': 1,
    'up{endpoint="gone"}': 0,
}
GROWING = {
    # these must be at least that much
    'failures_total{endpoint="bad"}': 3,
    'responses_total{endpoint="bad",code="503"}': 3,
    'retries_total{endpoint="bad"}': 2,
    'errors_total{endpoint="gone",reason="connect"}': 3,
    'oldest_pending_seconds{endpoint="gone"}': 0.5,
    'pending_bytes{endpoint="gone"}': 500,
    'request_duration_seconds_sum{endpoint="good"}': 0.000001,
    'delivery_latency_seconds_sum{endpoint="good"}': 0.000001,
}


class Scraped(EndToEndCase):
    def start(self):
        receiver = self.receiver()
        receiver.on("/bad", Answer(503))
        receiver.on("/once", Answer(500))
        receiver.on("/stuck", HANG)
        breaker = {"threshold": 3, "backoff": "200ms"}
        daemon = self.daemon([
            {"name": "good", "url": receiver.url("/good"), "timeout": "5s"},
            {"name": "picky", "url": receiver.url("/picky"), "ignore": {"actions": ["pull"]}},
            {"name": "bad", "url": receiver.url("/bad"), **breaker},
            {"name": "gone", "url": f"http://127.0.0.1:{free_port()}/", **breaker},
            {"name": "once", "url": receiver.url("/once"), "retry": {"max_attempts": 1}},
            {"name": "stuck", "url": receiver.url("/stuck"), "timeout": "60s"},
        ])
        self.assertEqual(daemon.post(envelope(*(event(n) for n in range(3)))).status, 202)
        self.assertEqual(
            daemon.post(envelope(event(3, "pull"), event(4, "pull"))).status, 202)
        receiver.wait_for(5, "/good")
        receiver.wait_for(5, "/once")
        receiver.wait_for(3, "/picky")
        return daemon

    def test_every_metric_of_an_endpoint_can_be_queried(self):
        require_program("prometheus")
        daemon = self.start()
        prometheus = self.process(Prometheus(self.directory / "prometheus", daemon.admin))
        prometheus.wait_for_value('up{job="fanfare"}', lambda value: value == 1)
        for series, expected in COUNTERS.items():
            with self.subTest(series=series):
                prometheus.wait_for_value(f"fanfare_endpoint_{series}",
                                          lambda value, e=expected: value == e, 5)
        for series, least in GROWING.items():
            with self.subTest(series=series):
                prometheus.wait_for_value(f"fanfare_endpoint_{series}",
                                          lambda value, e=least: value >= e, 5)
        for series, expected in {"fanfare_ingest_events_total": 5,
                                 'fanfare_ingest_requests_total{code="202"}': 2,
                                 "fanfare_config_last_reload_success": 1,
                                 "sum(fanfare_build_info)": 1}.items():
            with self.subTest(series=series):
                self.assertEqual(prometheus.query(series), expected)
        self.assertGreater(prometheus.query("process_resident_memory_bytes{job='fanfare'}"), 0)
        self.assert_prometheus_sees_the_books_balanced(prometheus)

    def assert_prometheus_sees_the_books_balanced(self, prometheus):
        name = "fanfare_endpoint_"
        difference = (
            f"sum by (endpoint) ({name}ignored_events_total) "
            f"+ sum by (endpoint) ({name}dropped_events_total) "
            f"+ sum by (endpoint) ({name}dead_letters_total) "
            f"+ sum by (endpoint) ({name}successes_total) "
            f"+ sum by (endpoint) ({name}pending_events) "
            "- on() group_left fanfare_ingest_events_total")
        self.assertEqual(prometheus.query(f"max(abs({difference}))"), 0)

    def test_every_metric_of_an_endpoint_is_in_these_tables(self):
        daemon = self.start()
        tested = {series.partition("{")[0] for series in (*COUNTERS, *GROWING)}
        tested |= {f"{name}_seconds_{part}" for name in ("request_duration", "delivery_latency")
                   for part in ("bucket", "sum", "count")}
        served = {name.removeprefix("fanfare_endpoint_")
                  for name, _ in daemon.metrics().samples if name.startswith("fanfare_endpoint_")}
        self.assertEqual(served - tested, set())
        self.assertEqual(tested - served, set())

    def test_promtool_finds_nothing_to_say_of_the_scrape(self):
        require_program("promtool")
        daemon = self.start()
        scrape = daemon.get("/metrics").body
        done = subprocess.run(["promtool", "check", "metrics"], input=scrape,
                              capture_output=True, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_the_registrys_own_names_are_served_on_request(self):
        """Acceptance 37."""
        receiver = self.receiver()
        receiver.script("/hook", [500, 503, 400, 404, 429, 410])
        daemon = self.daemon([{"name": "flaky", "url": receiver.url(), "threshold": 20}],
                             admin={"registry_metrics": True})
        name = "registry_notifications_events_total"
        before = daemon.metrics()
        for kind in ("Events", "Successes", "Failures", "Errors"):
            self.assertEqual(before.value(name, endpoint="flaky", type=kind), 0)
        daemon.post(numbered(0, 1))
        receiver.wait_for(7)
        wait_until(lambda: daemon.pending("flaky") == 0)
        after = daemon.metrics()
        self.assertEqual({kind: after.value(name, endpoint="flaky", type=kind)
                          for kind in ("Events", "Successes", "Failures", "Errors")},
                         {"Events": 1, "Successes": 1, "Failures": 6, "Errors": 0})
        self.assertEqual(after.value("registry_notifications_pending_total", endpoint="flaky"), 0)
        for code in ("200 OK", "500 Internal Server Error", "404 Not Found"):
            self.assertEqual(after.value("registry_notifications_status_total",
                                         endpoint="flaky", code=code), 1)

    def test_debug_vars_has_the_registrys_shape(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "a", "url": receiver.url()}])
        daemon.post(numbered(0, 2))
        self.wait_delivered(daemon, "a")
        endpoints = daemon.get("/debug/vars").json()["registry"]["notifications"]["endpoints"]
        self.assertEqual([e["name"] for e in endpoints], ["a"])
        self.assertEqual(endpoints[0]["Metrics"], {
            "Pending": 0, "Events": 2, "Successes": 2, "Failures": 0, "Errors": 0,
            "Statuses": {"200 OK": 2}})
