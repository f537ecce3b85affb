"""Debian's docker-registry, and the clients that make it send events."""

import json
import subprocess

from harness.http import fetch
from harness.process import Process, free_port
from harness.wait import wait_until


class Registry(Process):
    """`endpoints`: mappings as in the registry's own configuration file."""

    def __init__(self, directory, endpoints, env=None):
        debug_port = free_port()
        config = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(directory / "storage")},
                        "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0", "debug": {"addr": f"127.0.0.1:{debug_port}"}},
            "notifications": {"events": {"includereferences": True}, "endpoints": endpoints},
        }
        directory.mkdir()
        file = directory / "registry.yml"
        file.write_text(json.dumps(config))
        super().__init__(["docker-registry", "serve", file], env=env)
        self.debug_address = f"127.0.0.1:{debug_port}"
        self.address = self.wait_for_line(_listening_address)

    def notification_metrics(self, name):
        """What its /debug/vars tells about one notification endpoint."""
        text = fetch(self.debug_address, "GET", "/debug/vars").body
        for endpoint in json.loads(text)["registry"]["notifications"]["endpoints"]:
            if endpoint["name"] == name:
                return endpoint["Metrics"]
        raise AssertionError(f"no endpoint {name}: {text}")

    def wait_drained(self, name, events, seconds=20.0):
        """Until `events` events have gone to the endpoint and none is left; its metrics."""
        def drained():
            metrics = self.notification_metrics(name)
            return metrics if metrics["Pending"] == 0 and metrics["Events"] >= events else None
        return wait_until(drained, seconds, lambda: self.notification_metrics(name))

    def push(self, layout, name):
        """`name`: repository:tag."""
        self._skopeo(f"oci:{layout.directory}:v1", f"docker://{self.address}/{name}",
                     "--dest-tls-verify=false")

    def pull(self, name, directory):
        self._skopeo(f"docker://{self.address}/{name}", f"dir:{directory}",
                     "--src-tls-verify=false")

    @staticmethod
    def _skopeo(source, destination, option):
        command = ["skopeo", "--insecure-policy", "copy", option, source, destination]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr.decode()}")

    def curl(self, *arguments):
        """Runs curl; the status of each answer, one per line of its output."""
        command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}\\n",
                   *arguments]
        done = subprocess.run(command, capture_output=True, timeout=150, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode} {done.stderr.decode()}")
        return [int(line) for line in done.stdout.split()]

    def url(self, path):
        return f"http://{self.address}/v2/{path}"


def _listening_address(line):
    marker = "listening on "
    if marker not in line:
        return None
    return line.partition(marker)[2].partition('"')[0].strip()
