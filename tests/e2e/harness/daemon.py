"""`fanfare serve` under test."""

import json
import os
import pathlib
import time

from harness.http import fetch
from harness.metrics import Metrics
from harness.process import Process

EVENTS_V1 = "application/vnd.docker.distribution.events.v1+json"
EVENTS_V2 = "application/vnd.docker.distribution.events.v2+json"


def executable():
    """The executable that CMake has built."""
    path = os.environ.get("FANFARE")
    if not path:
        raise AssertionError("FANFARE is not set: it names the executable to test")
    return path


def with_test_defaults(config):
    """Free ports, a log that can be parsed, and a short drain, unless the test says otherwise."""
    result = {"log": {"format": "json"}, "shutdown": {"drain": "300ms"}, **config}
    result["ingest"] = {"listen": "127.0.0.1:0", **config.get("ingest", {})}
    result["admin"] = {"listen": "127.0.0.1:0", **config.get("admin", {})}
    return result


def config_text(config):
    """A configuration with the tests' defaults, as YAML with a line per value."""
    return json.dumps(with_test_defaults(config), indent=1)


class Daemon(Process):
    """Starts at once; `ready=True` waits until it says that it is. `config` is a mapping: JSON is
    YAML. Exit code 0 at clean-up is asserted unless `expected_exit` is set to None. `prefix`: a
    command that runs it."""

    def __init__(self, config, directory, env=None, ready=True, prefix=()):
        file = pathlib.Path(directory) / "fanfare.yaml"
        file.write_text(config_text(config), encoding="utf-8")
        self.config_file = file
        self.expected_exit = 0
        self.ready_after = None
        self.missed = {}  # see Metrics.imbalance
        super().__init__([*prefix, executable(), "serve", "-c", file], env=env)
        if ready:
            self._wait_until_ready()

    def _wait_until_ready(self):
        self.wait_for_line(lambda line: _entry(line).get("msg") == "ready")
        self.ready_after = time.monotonic() - self.started_at
        self.read_addresses()

    def wait_until_listening(self):
        """For one that is not to become ready yet."""
        for name in ("ingest", "admin"):
            self.wait_for_line(lambda line, name=name: _entry(line).get("msg") == "listening"
                               and _entry(line).get("listener") == name)
        self.read_addresses()

    def read_addresses(self):
        """For one that listens and is not to become ready yet."""
        self.ingest_addresses = self._addresses("ingest")
        self.admin_addresses = self._addresses("admin")

    def _addresses(self, listener):
        return [entry["address"] for entry in self.log()
                if entry.get("listener") == listener and entry.get("msg") == "listening"]

    def is_up(self):
        """Whether it has said that it is ready, and has not ended."""
        return self.ready_after is not None and self.exit_code is None

    @property
    def ingest(self):
        return self.ingest_addresses[0]

    @property
    def admin(self):
        return self.admin_addresses[0]

    def log(self):
        """The log so far, one mapping per line."""
        self.catch_up()
        return [_entry(line) for line in list(self.lines)]

    def log_entries(self, **fields):
        """Log lines that have these fields."""
        return [entry for entry in self.log()
                if all(entry.get(name) == value for name, value in fields.items())]

    def post(self, body, content_type=EVENTS_V1, headers=(), path="/events"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if content_type is not None:
            headers = (("Content-Type", content_type), *headers)
        return fetch(self.ingest, "POST", path, body, headers)

    def get(self, target, headers=()):
        return fetch(self.admin, "GET", target, b"", headers)

    def metrics(self):
        response = self.get("/metrics")
        assert response.status == 200, response
        return Metrics(response.body.decode())

    def pending(self, endpoint):
        return self.metrics().endpoint("pending_events", endpoint)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """CPU time of the process so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def voluntary_switches(self):
        """Voluntary context switches of all its threads so far."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    total += int(line.split()[1])
        return total


def _entry(line):
    try:
        entry = json.loads(line)
    except ValueError:
        return {"text": line}
    return entry if isinstance(entry, dict) else {"text": line}
