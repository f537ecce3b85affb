"""What is in deploy/ besides containers, checked by the programs that will read it."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import textwrap
import unittest
import urllib.error

from harness import (
    DEPLOY, FANFARE, SOURCE, WORK, environment, free_port, get, require, run, wait_until,
)  # fmt: skip
from typed import check_types

DASHBOARD = DEPLOY / "grafana/dashboard.json"
PROMETHEUS = DEPLOY / "prometheus"
UNIT = DEPLOY / "systemd/fanfare.service"


METRIC = re.compile(r"\b(?:(?:fanfare|process)_\w+|up(?=\{))")


def parsed(name):
    """A file of Prometheus' as it is read."""
    try:
        import yaml
    except ImportError:
        raise unittest.SkipTest("python3-yaml is missing") from None
    return yaml.safe_load((PROMETHEUS / name).read_text())


def alert_rules():
    return [rule for group in parsed("alerts.yml")["groups"] for rule in group["rules"]]


def dashboard_queries():
    """What the panels ask, with Grafana's own variables filled in."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            query = re.sub(r"\$__(rate_interval|range)", "5m", target["expr"])
            yield panel["title"], re.sub(r"\$(instance|endpoint)", ".*", query)


# Without a server; so are the figures of a fleet there all the same.
ON_NATS = "queue: {storage: nats, servers: ['nats://127.0.0.1:1'], ready_when_disconnected: true}\n"


@contextlib.contextmanager
def daemon(more=""):
    """The daemon with one endpoint, to which nothing is delivered; gives its admin URL. `more`: of
    its configuration."""
    ingest, admin = free_port(), free_port()
    environment()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=WORK / "tmp") as config:
        config.write(
            f"ingest: {{listen: '127.0.0.1:{ingest}'}}\nadmin: {{listen: '127.0.0.1:{admin}'}}\n"
            f"endpoints: [{{name: audit, url: 'http://127.0.0.1:1/'}}]\n{more}"
        )
        config.flush()
        process = subprocess.Popen([FANFARE, "serve", "-c", config.name])
        url = f"http://127.0.0.1:{admin}"
        try:
            wait_until("ready", lambda: get(url + "/readyz")[0] == 200)
            yield url
        finally:
            process.terminate()
            process.wait(30)


class Manifests(unittest.TestCase):
    def test_prometheus_accepts_the_scrape_configuration_and_the_alerts(self):
        require("promtool")

        run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
        run("promtool", "check", "rules", PROMETHEUS / "alerts.yml")
        environment()
        with tempfile.TemporaryDirectory(dir=WORK / "tmp") as together:
            # As the compose file mounts them.
            shutil.copy(DEPLOY / "compose/fleet/prometheus.yml", together)
            shutil.copy(PROMETHEUS / "alerts.yml", together)
            run("promtool", "check", "config", f"{together}/prometheus.yml")

    def test_each_alert_fires_when_it_should(self):
        require("promtool")

        run("promtool", "test", "rules", PROMETHEUS / "alerts_test.yml")

    def test_each_alert_has_a_case_where_it_fires_and_is_over_again(self):
        cases = parsed("alerts_test.yml")["tests"]
        for alert in alert_rules():
            with self.subTest(alert=alert["alert"]):
                seen = [[bool(check["exp_alerts"]) for check in case.get("alert_rule_test", [])
                         if check["alertname"] == alert["alert"]] for case in cases]
                self.assertIn([False, True, False], seen)

    def test_healthy_idle_and_restarted_daemons_have_what_the_alerts_ask_for(self):
        cases = parsed("alerts_test.yml")["tests"]
        asked = {name for alert in alert_rules() for name in METRIC.findall(alert["expr"])}
        for number, words in enumerate(("healthy", "idle", "restart")):
            self.assertIn(words, cases[number]["name"])
            [quiet] = cases[number]["promql_expr_test"]
            self.assertEqual((quiet["eval_time"], quiet["exp_samples"]), ("60m", []))
            given = {series["series"].partition("{")[0] for series in cases[number]["input_series"]}
            # Idle: no answer has been given. Restart: it is about what counts.
            may_miss = {"healthy": set(), "idle": {"fanfare_ingest_requests_total"},
                        "restart": {name for name in asked if not name.endswith("_total")}}
            self.assertLessEqual(asked - given, may_miss[words])

    def test_each_alert_says_how_bad_it_is_and_where_to_read_on(self):
        for alert in alert_rules():
            with self.subTest(alert=alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
                self.assertEqual(alert["annotations"]["runbook"],
                                 f"deploy/README.md#{alert['alert'].lower()}")
                # Of a fleet's backlog every replica says the same.
                whose = "endpoint" if "max by (endpoint)" in alert["expr"] else "instance"
                self.assertIn(f"$labels.{whose}", alert["annotations"]["description"])

    def test_kubernetes_has_the_same_alerts(self):
        self.assertEqual(parsed("../k8s/prometheusrule.yaml")["spec"], parsed("alerts.yml"))

    def test_each_alert_has_its_place_in_the_runbook(self):
        runbook = (DEPLOY / "README.md").read_text().partition("## Runbook\n")[2]

        entries = re.findall(r"^### (\w+)\n(.*?)(?=^#|\Z)", runbook, re.MULTILINE | re.DOTALL)

        self.assertEqual(sorted(name for name, _ in entries),
                         sorted(alert["alert"] for alert in alert_rules()))
        for name, text in entries:
            with self.subTest(alert=name):
                for part in (r"\*\*Means\*\*", r"\*\*First look", r"[Ff]ix\*\*"):
                    self.assertRegex(text, part)

    def test_dashboard_is_what_its_script_writes(self):
        self.assertEqual(run(DASHBOARD.with_suffix(".py")).stdout, DASHBOARD.read_text())

    def test_dashboard_works_anywhere(self):
        board = json.loads(DASHBOARD.read_text())
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in board["panels"]:
            if panel["type"] == "row":
                continue
            with self.subTest(panel=panel["title"]):
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                self.assertTrue(panel["description"])
                by_many = panel["type"] in ("timeseries", "state-timeline")
                self.assertTrue(all(target["legendFormat"] for target in panel["targets"])
                                or not by_many)
        provisioned = parsed("../grafana/provisioning/datasources/prometheus.yml")["datasources"]
        self.assertEqual(board["templating"]["list"][0]["current"]["value"], provisioned[0]["uid"])
        rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
        self.assertEqual(rows[:3], ["Is anything stuck?", "What happened?",
                                    "What is coming through right now?"])

    def test_dashboard_has_only_keys_that_grafana_knows(self):
        done = check_types("dashboard", DASHBOARD)
        self.assertEqual(done.returncode, 0, done.stdout)

        environment()
        copy = WORK / "tmp/mistake.json"
        copy.write_text(DASHBOARD.read_text().replace('"gridPos"', '"gridPosition"', 1))
        done = check_types("dashboard", copy)
        self.assertIn("gridPosition", done.stdout)
        self.assertNotEqual(done.returncode, 0)

    def test_dashboard_queries_are_valid(self):
        require("promtool")
        rules = [
            {"record": f"panel:{number}", "expr": query}
            for number, (_, query) in enumerate(dashboard_queries())
        ]
        self.assertGreater(len(rules), 10)
        environment()
        file = WORK / "tmp/queries.json"  # which is YAML as well
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

        run("promtool", "check", "rules", file)

    def test_alerts_and_dashboard_ask_only_for_metrics_that_there_are(self):
        alerts = (PROMETHEUS / "alerts.yml").read_text()
        variables = json.dumps(json.loads(DASHBOARD.read_text())["templating"])
        queries = " ".join([alerts, variables, *(query for _, query in dashboard_queries())])
        asked = set(re.findall(r"\b(?:fanfare|process)_[a-z_]+\b", queries))
        scrape = ""
        for more in ("", ON_NATS):
            with daemon(more) as url:
                # The series of a status appears with the first such answer.
                with contextlib.suppress(urllib.error.URLError):
                    get(url + "/metrics")
                scrape += get(url + "/metrics")[1]

        there = set(re.findall(r"^(?:# TYPE )?(\w+)", scrape, re.MULTILINE))

        self.assertGreater(len(asked), 10)
        self.assertEqual(asked - there, set())

    def test_systemd_has_nothing_to_say_about_the_unit(self):
        require("systemd-analyze")
        self.assertEqual(self.verify(UNIT.read_text()), "")
        # An unknown key is a mere warning with exit status 0: so any output is a failure.
        mistaken = UNIT.read_text().replace("ProtectSystem=", "ProtectSytem=")
        self.assertIn("ProtectSytem", self.verify(mistaken))

    def verify(self, text):
        environment()
        with tempfile.TemporaryDirectory(dir=WORK / "tmp") as directory:
            unit = f"{directory}/fanfare.service"
            with open(unit, "w", encoding="utf-8") as copy:
                copy.write(text.replace("/usr/bin/fanfare", str(FANFARE)))
            return run("systemd-analyze", "verify", "--man=no", unit, check=False).stdout

    def test_unit_is_hardened(self):
        require("systemd-analyze")

        done = run("systemd-analyze", "security", "--offline=yes", UNIT)

        score = float(re.search(r"exposure level for fanfare.service: ([\d.]+)", done.stdout)[1])
        self.assertLessEqual(score, 1.5, done.stdout)

    def test_unit_waits_longer_than_the_drain(self):
        seconds = int(re.search(r"TimeoutStopSec=(\d+)s", UNIT.read_text())[1])

        self.assertGreater(seconds, 20)

    def test_scripts_are_clean(self):
        require("shellcheck")
        scripts = ["deploy/lib.sh", "deploy/quickstart", "tests/run", ".ci/run"]
        scripts += ["tests/containers/base_image.sh", "tests/bench/run"]

        run("shellcheck", "--external-sources", *scripts, cwd=SOURCE)

    def test_every_configuration_shown_is_accepted(self):
        texts = {"compose": (DEPLOY / "compose/fanfare.yaml").read_text(),
                 "fleet": (DEPLOY / "compose/fleet/fanfare.yaml").read_text()}
        for name in ("k8s/configmap.yaml", "k8s-fleet/replicas.yaml"):
            config_map = (DEPLOY / name).read_text().partition("  fanfare.yaml: |\n")[2]
            texts[name] = textwrap.dedent(config_map.partition("\n---")[0] + "\n")
        for name in ("README.md", "deploy/README.md"):
            snippets = re.findall(r"```yaml\n(.*?)```", (SOURCE / name).read_text(), re.DOTALL)
            for number, text in enumerate(snippets):
                texts[f"{name} {number + 1}"] = text
        environment()
        for name, text in texts.items():
            with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=WORK / "tmp") as file:
                file.write(text)
                file.flush()

                done = run(FANFARE, "check", "-c", file.name, check=False)

                self.assertEqual(done.returncode, 0, f"{name}:\n{done.stdout}")

    def test_readme_shows_a_sink_that_is_compiled(self):
        source = (SOURCE / "tests/extension/line_sink.cc").read_text()

        shown = source.partition("// [README]\n")[2].partition("// [/README]")[0]

        self.assertIn(f"```cpp\n{shown}```", (SOURCE / "README.md").read_text())

    def test_readme_shows_the_shortest_configuration(self):
        shortest = (SOURCE / "config/minimal.yaml").read_text()

        self.assertIn(f"```yaml\n{shortest}```", (SOURCE / "README.md").read_text())

    def test_image_is_built_from_the_packages_that_the_scripts_install(self):
        text = (SOURCE / "deploy/lib.sh").read_text()
        listed = re.search(r"^build_packages=\((.*?)\)", text, re.DOTALL | re.MULTILINE)[1]
        stage = re.search(r"AS build\n(.*?)WORKDIR", (SOURCE / "Dockerfile").read_text(), re.DOTALL)
        installed = re.search(r"--no-install-recommends(.*?)&&", stage[1], re.DOTALL)[1]

        packages = set(installed.replace("\\", " ").split()) - {"ca-certificates"}

        self.assertEqual(packages, set(listed.split()))
