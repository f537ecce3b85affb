"""The compose file: refused with a typo in it, and really brought up, used and taken down."""

import json
import re
import tempfile
import unittest

from harness import (
    DEPLOY, PREFIX, WORK, environment, free_port, get, podman, require, run, sample, wait_until,
)  # fmt: skip
from tiny_image import push_tiny_image

FILE = DEPLOY / "compose/compose.yaml"


class Compose(unittest.TestCase):
    def test_file_is_accepted(self):
        require("docker-compose")

        run("docker-compose", "--file", FILE, "config", "--quiet")

    def test_unknown_key_is_refused(self):
        require("docker-compose")
        environment()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=WORK / "tmp") as copy:
            copy.write(FILE.read_text().replace("    ports:", "    prots:", 1))
            copy.flush()

            done = run("docker-compose", "--file", copy.name, "config", "--quiet", check=False)

        self.assertNotEqual(done.returncode, 0)
        self.assertIn("prots", done.stdout)

    def test_stack_delivers_what_is_pushed_to_its_registry(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit", "podman-compose", "skopeo")
        ports = {
            name: free_port()
            for name in (
                "REGISTRY_PORT", "INGEST_PORT", "ADMIN_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT",
            )
        }  # fmt: skip
        env = {**environment(), **{name: str(port) for name, port in ports.items()}}
        project = PREFIX + "compose"
        command = ("podman-compose", "--project-name", project, "--file", FILE)
        try:
            run(*command, "up", "--detach", env=env)
            self.check_running(project, ports)
        except BaseException:
            for service in ("registry", "fanfare", "receiver", "prometheus"):
                log = podman("logs", f"{project}_{service}_1", check=False).stdout
                print(f"--- log of {service}\n{log}")
            raise
        finally:
            run(*command, "down", "--volumes", "--timeout", "15", env=env)
            podman("network", "rm", "--force", project + "_default", check=False)
        left = json.loads(podman("ps", "--all", "--format", "json").stdout)
        self.assertEqual([c["Names"] for c in left], [])

    def check_running(self, project, ports):
        admin = f"http://127.0.0.1:{ports['ADMIN_PORT']}"
        registry = f"127.0.0.1:{ports['REGISTRY_PORT']}"
        prometheus = f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}"
        wait_until("fanfare", lambda: get(admin + "/readyz")[0] == 200)
        wait_until("registry", lambda: get(f"http://{registry}/v2/")[0] == 200)

        push_tiny_image(registry, "demo/tiny", "v1")

        def delivered(endpoint):
            metrics = get(admin + "/metrics")[1]
            return sample(metrics, "fanfare_endpoint_successes_total", endpoint=endpoint)

        # Two blobs and a manifest; before it uploads a blob, skopeo may ask for it.
        wait_until("three deliveries", lambda: delivered("everything") >= 3)
        wait_until("the push alone", lambda: delivered("pushes") == 1)
        log = podman("logs", f"{project}_receiver_1").stdout
        self.assertTrue(re.search("/pushes", log), log)

        def scraped():
            query = "fanfare_endpoint_successes_total{endpoint='pushes'}"
            text = get(f"{prometheus}/api/v1/query?query={query}")[1]
            result = json.loads(text)["data"]["result"]
            return result and result[0]["value"][1] == "1"

        # Its first scrape comes up to one interval after the start.
        wait_until("Prometheus to know of it", scraped, deadline=60)
        rules = json.loads(get(f"{prometheus}/api/v1/rules")[1])["data"]["groups"]
        alerts = (DEPLOY / "prometheus/alerts.yml").read_text().count("- alert:")
        self.assertEqual(len(rules[0]["rules"]), alerts)
        self.assertEqual(
            podman("inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}",
                   f"{project}_fanfare_1").stdout.strip(),
            "true",
        )  # fmt: skip
