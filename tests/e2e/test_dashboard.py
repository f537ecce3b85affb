"""The dashboard and the alerts in deploy/, asked of a real Prometheus behind a real daemon."""

import math
import re

from harness.case import EndToEndCase
from harness.dashboard import ALERTS, filled_in, load, queries
from harness.events import envelope, event, numbered
from harness.nats_case import NatsCase
from harness.process import free_port, require_program
from harness.prometheus import Prometheus
from harness.receiver import Answer
from harness.wait import wait_until


class WatchedCase(EndToEndCase):
    def setUp(self):
        require_program("prometheus")
        super().setUp()

    def watched(self, daemon, **options):
        prometheus = self.process(
            Prometheus(self.directory / f"prometheus-{free_port()}", daemon.admin, **options))
        prometheus.wait_for_value('up{job="fanfare"}', lambda value: value == 1)
        return prometheus

    def wait_answered(self, prometheus, asked):
        """Until every query has some number for an answer."""
        waiting = dict(asked)

        def all_answered():
            for title, query in list(waiting.items()):
                if any(math.isfinite(value) for _, value in prometheus.series(query)):
                    del waiting[title]
            return not waiting
        wait_until(all_answered, 10, lambda: f"an answer to {waiting}")

    def on_disk(self, **more):
        return {"storage": "disk", "dir": str(self.directory / "queue"), **more}


class Panels(WatchedCase):
    def start(self):
        """A daemon with endpoints that work, fail, are not there, and give up; and Prometheus."""
        receiver = self.receiver()
        receiver.on("/bad", Answer(503))
        receiver.on("/once", Answer(500))
        breaker = {"threshold": 3, "backoff": "200ms"}
        daemon = self.daemon([
            {"name": "good", "url": receiver.url("/good")},
            {"name": "bad", "url": receiver.url("/bad"), **breaker},
            {"name": "gone", "url": f"http://127.0.0.1:{free_port()}/", **breaker},
            {"name": "once", "url": receiver.url("/once"), "retry": {"max_attempts": 1}},
        ], queue=self.on_disk(), meta={"enabled": False})  # which would stand in history, too
        prometheus = self.watched(daemon)
        # Twice, as what comes before the first scrape is no growth.
        for number in range(2):
            self.assertEqual(daemon.post(numbered(5 * number, 5)).status, 202)
            self.assertEqual(daemon.post(b"no JSON").status, 400)
            delivered = 5 * (number + 1)
            for series in ('successes_total{endpoint="good"}',
                           'dead_letters_total{endpoint="once",reason="max_attempts"}'):
                prometheus.wait_for_value(f"fanfare_endpoint_{series}",
                                          lambda value, e=delivered: value == e)
        return daemon, prometheus

    def test_every_query_is_answered_with_a_number(self):
        daemon, prometheus = self.start()
        self.wait_answered(prometheus, queries())
        self.assert_choices_choose(daemon, prometheus)
        self.assert_numbers_are_right(prometheus)

    def assert_choices_choose(self, daemon, prometheus):
        """Every variable has values, and every query can be asked of one endpoint alone."""
        values = {}
        for variable in load()["templating"]["list"]:
            if variable["type"] == "query":
                series, label = re.fullmatch(r"label_values\((.*), (\w+)\)",
                                             variable["query"]["query"]).groups()
                found = prometheus.series(filled_in(series, ".*", ".*", "1m"))
                values[variable["name"]] = {labels[label] for labels, _ in found}
        self.assertEqual(values, {"instance": {daemon.admin},
                                  "endpoint": {"good", "bad", "gone", "once"}})
        for title, query in queries(instance=re.escape(daemon.admin).replace("\\", "\\\\"),
                                    endpoint="(good|bad)"):
            with self.subTest(panel=title):
                found = prometheus.series(query)
                self.assertTrue(found)
                self.assertLessEqual({labels.get("endpoint", "good") for labels, _ in found},
                                     {"good", "bad"})

    def assert_numbers_are_right(self, prometheus):
        answers = {}
        for title, query in queries():
            answers.setdefault(title.split()[0], []).append(prometheus.series(query))
        self.assertEqual(answers["101"], [[({}, 3)]])
        states = {labels["endpoint"]: value for labels, value in answers["109"][0]}
        self.assertEqual(states["good"], 0)
        self.assertEqual((states["bad"] // 4, states["gone"] // 4), (1, 1))  # down
        self.assertEqual(answers["104"], [[({}, 20)]])
        self.assertEqual(answers["207"], [[({}, 10)]])
        self.assertEqual(answers["306"], [[({}, 10)]])
        self.assertEqual(answers["307"], [[({}, 0)]])
        self.assertEqual([found[0][1] for found in answers["317"]], [1, 10])
        [[(_, taken)]] = answers["107"]
        self.assertTrue(0 < taken < 0.01, taken)
        # Five or ten, and Prometheus extrapolates.
        for panel, least, most in ((201, 4, 15), (204, 4, 15), (205, 0, 0), (206, 0, 0)):
            with self.subTest(panel=panel):
                [[(_, value)]] = answers[str(panel)]
                self.assertTrue(least <= value <= most, value)


class FleetPanels(WatchedCase, NatsCase):
    def test_every_query_is_answered_with_a_number(self):
        receiver = self.receiver()
        receiver.on("/bad", Answer(503))
        daemon = self.replica([
            {"name": "good", "url": receiver.url("/good")},
            {"name": "bad", "url": receiver.url("/bad"), "backoff": "200ms"}])
        prometheus = self.watched(daemon)
        for number in range(2):
            self.post(daemon, *(f"e{number}-{one}" for one in range(5)))
            prometheus.wait_for_value("fanfare_fleet_published_events_total",
                                      lambda value, e=5 * (number + 1): value == e)
        self.wait_answered(prometheus, queries(of_fleet=True))
        answers = {title.split()[0]: prometheus.series(query)
                   for title, query in queries(of_fleet=True)}
        self.assertEqual([answers[panel] for panel in ("501", "502", "503")],
                         [[({}, 1)], [({}, 0)], [({}, 0)]])
        prometheus.wait_for_value(dict(queries(of_fleet=True))["504 Pending A"],
                                  lambda value: value == 10)


class Alerts(WatchedCase):
    def rules(self):
        """The alerts of deploy/, but that they do not wait."""
        return re.sub(r"for: \d+m\n", "for: 1s\n", ALERTS.read_text())

    def test_what_goes_wrong_fires_and_what_is_mended_resolves(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(503))
        receiver.script("/once", [500])
        endpoints = [
            {"name": "audit", "url": receiver.url(), "threshold": 3, "backoff": "200ms"},
            {"name": "once", "url": receiver.url("/once"), "retry": {"max_attempts": 1}},
        ]
        daemon = self.daemon(endpoints, queue=self.on_disk(max_disk="64MiB"))
        good_config = daemon.config_file.read_text()
        prometheus = self.watched(daemon, rules=self.rules())
        wait_until(lambda: self.assert_rules_evaluate(prometheus))
        self.wait_for_alerts(prometheus, lambda names: not names)

        self.fill(daemon)
        daemon.config_file.write_text("endpoint: []\n")

        expected = {"FanfareEndpointDown", "FanfareBreakerOpen", "FanfareStoreFull",
                    "FanfareStoreNearlyFull", "FanfareIngestRefusing", "FanfareDeadLetters",
                    "FanfareConfigRejected"}
        self.wait_for_alerts(prometheus, lambda names: expected <= names)
        self.assert_texts_are_whole(daemon, prometheus.alerts())

        receiver.on("/hook", Answer(200))
        daemon.config_file.write_text(good_config)

        # What counts growth goes on for minutes after the last of it.
        self.wait_for_alerts(prometheus, lambda names: names == {
            "FanfareStoreFull", "FanfareIngestRefusing", "FanfareDeadLetters"}, 30)

    def fill(self, daemon):
        """Posts events until one is refused."""
        large = envelope(event("large", padding="x" * 3_000_000))
        wait_until(lambda: daemon.post(large).status == 503, 20)

    def wait_for_alerts(self, prometheus, accepts, seconds=20.0):
        wait_until(lambda: accepts(set(prometheus.alerts())), seconds,
                   lambda: f"other alerts than {sorted(prometheus.alerts())}")

    def assert_rules_evaluate(self, prometheus):
        """True once each has been evaluated, without an error."""
        [group] = prometheus.get("rules")["groups"]
        self.assertEqual(len(group["rules"]), ALERTS.read_text().count("- alert:"))
        for rule in group["rules"]:
            self.assertEqual(rule.get("lastError", ""), "", rule["name"])
        return all(rule["health"] == "ok" for rule in group["rules"])

    def assert_texts_are_whole(self, daemon, alerts):
        for name, firing in alerts.items():
            for alert in firing:
                text = " ".join(alert["annotations"].values())
                self.assertNotIn("<no value>", text)
                self.assertNotIn("  ", text)
                self.assertIn(daemon.admin, alert["annotations"]["description"])
                self.assertIn(f"#{name.lower()}", alert["annotations"]["runbook"])
                self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
        for name, endpoint in (("FanfareEndpointDown", "audit"), ("FanfareBreakerOpen", "audit"),
                               ("FanfareDeadLetters", "once")):
            [alert] = alerts[name]
            self.assertEqual(alert["labels"]["endpoint"], endpoint)
            self.assertIn(endpoint, alert["annotations"]["summary"])

    def test_daemon_that_is_gone_fires(self):
        daemon = self.daemon([])
        prometheus = self.watched(daemon, rules=self.rules())
        daemon.stop()
        self.wait_for_alerts(prometheus, lambda names: "FanfareAbsent" in names)

    def test_every_alert_asks_for_series_that_there_are(self):
        """But for answers by status, whose series come with the first of them."""
        text = ALERTS.read_text()
        selectors = set(re.findall(r"\b(?:(?:fanfare|process)_|up\{)[^\s()\[\]]+", text))
        selectors = {one for one in selectors if "code=" not in one}
        self.assertGreater(len(selectors), 12)
        # Figures of a fleet are there also without its servers.
        on_nats = {"storage": "nats", "servers": ["nats://127.0.0.1:1"],
                   "ready_when_disconnected": True}
        of_fleets = {one for one in selectors if "_fleet_" in one}
        for queue, asked in ({}, selectors - of_fleets), (on_nats, of_fleets):
            daemon = self.daemon([{"name": "audit", "url": "http://127.0.0.1:1/"}], queue=queue)
            prometheus = self.watched(daemon)
            for selector in sorted(asked):
                with self.subTest(selector=selector):
                    self.assertTrue(prometheus.series(selector))
