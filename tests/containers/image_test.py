"""The images, really built and run: unprivileged, read-only, events in and out, health, SIGTERM."""

import json
import pathlib
import tempfile
import unittest

from harness import (
    EVENT, SCRATCH, SLIM, WORK, Container, environment, free_port, get, network, podman, require,
    sample, wait_until,
)  # fmt: skip

CONFIG = """
ingest: {listen: "0.0.0.0:8080"}
admin: {listen: "0.0.0.0:8081"}
shutdown: {drain: 5s}
endpoints:
  - name: receiver
    url: http://receiver:9000/hook
"""

HARDENED = (
    "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all",
    "--security-opt", "no-new-privileges", "--memory", "256m", "--pids-limit", "64",
)  # fmt: skip


def config_mount(text=CONFIG):
    environment()
    directory = pathlib.Path(tempfile.mkdtemp(dir=WORK / "tmp"))
    directory.chmod(0o755)
    file = directory / "fanfare.yaml"
    file.write_text(text)
    return ("--volume", f"{file}:/etc/fanfare/fanfare.yaml:ro")


class Image(unittest.TestCase):
    def setUp(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit")

    def check_events_in_and_out(self, image):
        ingest, admin = free_port(), free_port()
        with network() as net, Container(
            image, "listen", "--listen", "0.0.0.0:9000",
            options=(*HARDENED, "--network", net, "--network-alias", "receiver", "--no-healthcheck"),
        ) as receiver, Container(
            image,
            options=(
                *HARDENED, *config_mount(), "--network", net,
                "--publish", f"127.0.0.1:{ingest}:8080", "--publish", f"127.0.0.1:{admin}:8081",
            ),
        ) as fanfare:  # fmt: skip
            url = f"http://127.0.0.1:{admin}"
            wait_until("ready", lambda: get(url + "/readyz")[0] == 200)

            body = json.dumps({"events": [EVENT]}).encode()
            headers = {"Content-Type": "application/vnd.docker.distribution.events.v2+json"}
            status, answer = get(f"http://127.0.0.1:{ingest}/events", body, headers)

            self.assertEqual((status, json.loads(answer)["accepted"]), (202, 1))
            wait_until("delivery", lambda: EVENT["id"] in receiver.log())
            wait_until(
                "the success in the metrics",
                lambda: sample(
                    get(url + "/metrics")[1], "fanfare_endpoint_successes_total",
                    endpoint="receiver",
                ) == 1,
            )  # fmt: skip
            self.check_privileges(fanfare)
            self.assertEqual(podman("healthcheck", "run", fanfare.name).returncode, 0)
            self.check_stops(fanfare)

    def check_privileges(self, container):
        state = pathlib.Path(f"/proc/{container.inspect()['State']['Pid']}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in state.splitlines() if ":\t" in line)
        self.assertEqual(fields["Uid"].split(), ["65532"] * 4)
        self.assertEqual(fields["Gid"].split(), ["65532"] * 4)
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(fields[capabilities], 16), 0, capabilities)
        self.assertEqual(fields["NoNewPrivs"].strip(), "1")

    def check_stops(self, container):
        podman("stop", "--time", "20", container.name)
        state = container.inspect()["State"]
        # podman kills with 137 when the time is over.
        self.assertEqual((state["Status"], state["ExitCode"]), ("exited", 0), container.log())

    def test_slim_takes_and_delivers_events_without_privileges(self):
        self.check_events_in_and_out(SLIM)

    def test_scratch_takes_and_delivers_events_without_privileges(self):
        self.check_events_in_and_out(SCRATCH)

    def test_both_say_what_they_are(self):
        for image in (SLIM, SCRATCH):
            config = json.loads(podman("image", "inspect", image).stdout)[0]["Config"]

            self.assertEqual(config["User"], "65532:65532")
            self.assertEqual(config["Entrypoint"], ["/usr/bin/fanfare"])
            self.assertEqual(config["Cmd"], ["serve"])
            self.assertEqual(set(config["ExposedPorts"]), {"8080/tcp", "8081/tcp"})
            self.assertEqual(config["Labels"]["org.opencontainers.image.licenses"], "Apache-2.0")
            check = podman("image", "inspect", "--format", "{{json .HealthCheck}}", image).stdout
            self.assertEqual(
                json.loads(check)["Test"], ["CMD", "/usr/bin/fanfare", "healthcheck"]
            )

    def test_label_and_program_agree_on_the_version(self):
        for image in (SLIM, SCRATCH):
            labels = json.loads(podman("image", "inspect", image).stdout)[0]["Config"]["Labels"]

            said = podman("run", "--rm", "--network", "none", image, "version").stdout

            self.assertIn(labels["org.opencontainers.image.version"], said)

    def test_both_are_small(self):
        for image, mebibytes in ((SLIM, 140), (SCRATCH, 40)):
            size = json.loads(podman("image", "inspect", image).stdout)[0]["Size"]

            self.assertLess(size, mebibytes << 20, image)

    def test_without_a_configuration_it_says_so_and_ends_with_78(self):
        done = podman("run", "--rm", "--network", "none", *HARDENED, SLIM, check=False)

        self.assertEqual(done.returncode, 78, done.stdout)
        self.assertIn("/etc/fanfare/fanfare.yaml: error:", done.stdout)

    def test_healthcheck_fails_while_no_daemon_answers(self):
        with Container(
            SLIM, "listen", "--listen", "0.0.0.0:9000",
            options=(*HARDENED, *config_mount(), "--network", "none"),
        ) as container:  # fmt: skip
            done = podman("healthcheck", "run", container.name, check=False)

            self.assertEqual(done.returncode, 1, done.stdout)

    def test_scratch_holds_nothing_but_the_program_and_what_it_loads(self):
        done = podman("run", "--rm", "--entrypoint", "/bin/sh", SCRATCH, check=False)

        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no such file", done.stdout.lower())
