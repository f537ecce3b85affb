"""Three NATS servers and three replicas: what configures them, and the compose file really brought
up, with one of each killed."""

import json
import re
import shutil
import tempfile
import unittest
import uuid

from harness import (
    DEPLOY, EVENT, PREFIX, WORK, environment, free_port, get, podman, require, run, sample,
    wait_until,
)  # fmt: skip

FILE = DEPLOY / "compose/fleet.yaml"


def documents(file):
    try:
        import yaml
    except ImportError:
        raise unittest.SkipTest("python3-yaml is missing") from None
    return list(yaml.safe_load_all(file.read_text()))


def nats_configurations():
    """Where it stands, and what it says."""
    yield "compose", (DEPLOY / "compose/fleet/nats.conf").read_text()
    yield "kubernetes", documents(DEPLOY / "k8s-fleet/nats.yaml")[0]["data"]["nats.conf"]


def for_old_servers(text):
    """Debian's NATS is older than this line, and refuses it."""
    without, count = re.subn(r"(?m)^ *sync_interval: always\n", "", text)
    assert count == 1, text
    return without


def for_old_compose(text):
    """Debian's podman-compose takes no aliases: the replicas have no name in common then."""
    without, count = re.subn(r"(?m)^  networks:\n    default:\n      aliases: .*\n", "", text)
    assert count == 1, text
    return without


class Fleet(unittest.TestCase):
    def test_file_is_accepted(self):
        require("docker-compose")

        run("docker-compose", "--file", FILE, "config", "--quiet")

    def test_servers_accept_their_configuration(self):
        require("nats-server")
        environment()
        for name, text in nats_configurations():
            with tempfile.NamedTemporaryFile("w", suffix=".conf", dir=WORK / "tmp") as file:
                file.write(for_old_servers(text))
                file.flush()
                env = {**environment(), "POD_NAME": "fanfare-nats-0"}

                done = run("nats-server", "-t", "-c", file.name, env=env, check=False)

                self.assertEqual(done.returncode, 0, f"{name}:\n{done.stdout}")

    def test_autoscaler_asks_for_what_the_rule_gives(self):
        scaler, rules = documents(DEPLOY / "k8s-fleet/autoscaler.yaml")
        name = scaler["spec"]["metrics"][0]["external"]["metric"]["name"]

        self.assertIn(f"as: {name}", rules["data"]["config.yaml"])

    def test_autoscaler_counts_what_more_replicas_could_deliver(self):
        require("promtool")
        _, rules = documents(DEPLOY / "k8s-fleet/autoscaler.yaml")
        query = re.search(r"metricsQuery: >-\n(.*)", rules["data"]["config.yaml"], re.DOTALL)[1]
        series = {
            ("fanfare_endpoint_pending_events", "audit"): (70, 72),
            ("fanfare_endpoint_pending_events", "other"): (30, 30),
            ("fanfare_endpoint_pending_events", "paused"): (1000, 1000),
            ("fanfare_endpoint_pending_events", "down"): (2000, 2000),
            ("fanfare_endpoint_paused", "paused"): (1, 1),
            ("fanfare_endpoint_up", "down"): (0, 0),
            ("fanfare_endpoint_up", "audit"): (1, 1),
        }
        given = [
            {"series": f'{name}{{job="fanfare",namespace="n",instance="{pod}",'
                       f'endpoint="{endpoint}"}}', "values": f"{value}x5"}
            for (name, endpoint), values in series.items() for pod, value in zip("ab", values)
        ]  # fmt: skip
        asked = {"expr": " ".join(query.split()), "eval_time": "2m",
                 "exp_samples": [{"labels": '{namespace="n"}', "value": 102}]}
        environment()
        with tempfile.NamedTemporaryFile("w", suffix=".yml", dir=WORK / "tmp") as file:
            json.dump({"evaluation_interval": "1m", "tests": [
                {"interval": "1m", "input_series": given, "promql_expr_test": [asked]}]}, file)
            file.flush()

            run("promtool", "test", "rules", file.name)

    def test_stack_delivers_while_a_server_and_a_replica_are_gone(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit", "podman-compose")
        environment()
        folder = WORK / "tmp/fleet"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(DEPLOY, folder / "deploy")
        conf = folder / "deploy/compose/fleet/nats.conf"
        conf.write_text(for_old_servers(conf.read_text()))
        file = folder / "deploy/compose/fleet.yaml"
        file.write_text(for_old_compose(file.read_text()))
        ports = {f"{name}_PORT_{n}": free_port() for name in ("INGEST", "ADMIN") for n in (1, 2, 3)}
        ports["PROMETHEUS_PORT"] = free_port()
        env = {**environment(), **{name: str(port) for name, port in ports.items()}}
        project = PREFIX + "fleet"
        command = ("podman-compose", "--project-name", project, "--file", file)
        try:
            run(*command, "up", "--detach", env=env)
            self.check_running(project, ports)
        except BaseException:
            for service in ("nats-1", "fanfare-1", "fanfare-3", "receiver"):
                log = podman("logs", f"{project}_{service}_1", check=False).stdout
                print(f"--- log of {service}\n{log[-8000:]}")
            raise
        finally:
            run(*command, "down", "--volumes", "--timeout", "15", env=env)
            podman("network", "rm", "--force", project + "_default", check=False)
            shutil.rmtree(folder, ignore_errors=True)
        left = json.loads(podman("ps", "--all", "--format", "json").stdout)
        self.assertEqual([c["Names"] for c in left], [])

    def check_running(self, project, ports):
        admin = [f"http://127.0.0.1:{ports[f'ADMIN_PORT_{n}']}" for n in (1, 2, 3)]
        for one in admin:
            wait_until("fanfare", lambda url=one: get(url + "/readyz")[0] == 200, 60)
        wait_until("each other", lambda: sample(get(admin[2] + "/metrics")[1],
                                                "fanfare_fleet_replicas") == 3)
        self.assertEqual([self.post(ports, n) for n in (1, 2, 3)], [202, 202, 202])
        # Not to be started again, as the compose file asks for.
        podman("stop", "--time", "0", f"{project}_nats-2_1", f"{project}_fanfare-1_1")
        wait_until("an event to be taken", lambda: self.post(ports, 3) == 202, 60)

        def delivered():
            return sum(sample(get(url + "/metrics")[1], "fanfare_endpoint_successes_total",
                              endpoint="everything") for url in admin[1:])
        # What the first replica has delivered before, it has taken along with its figures.
        wait_until("deliveries", lambda: delivered() >= 1, 60)
        wait_until("nothing pending", lambda: sample(
            get(admin[1] + "/metrics")[1], "fanfare_endpoint_pending_events",
            endpoint="everything") == 0, 60)

    def post(self, ports, number):
        event = {**EVENT, "id": str(uuid.uuid4())}
        url = f"http://127.0.0.1:{ports[f'INGEST_PORT_{number}']}/events"
        return get(url, json.dumps({"events": [event]}).encode(), {
            "Content-Type": "application/vnd.docker.distribution.events.v2+json"})[0]
