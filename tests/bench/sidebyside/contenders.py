"""Those who take events and deliver them, on the contender's core."""

import contextlib
import json
import time

from sidebyside.machine import status_of
from sidebyside.processes import BenchError, Process, free_port, wait_until
from sidebyside.traffic import get

# Wide enough that a contender that takes faster than it delivers is not refused for it: refusals
# would cost CPU time of their own. The bound is there in every run all the same.
QUEUE_BYTES = "6GiB"


class Contender:
    """A running one."""

    def __init__(self, process, port):
        self.process = process
        self.port = port

    @property
    def pid(self):
        return self.process.pid

    def peak_rss(self):
        return status_of(self.pid, "VmHWM")

    def rss(self):
        return status_of(self.pid, "VmRSS")


class Fanfare(Contender):
    """The real executable. Limits, checks and metrics are on, as always."""

    def __init__(self, process, port, admin, ready_after):
        super().__init__(process, port)
        self._admin = admin
        self.ready_after = ready_after  # seconds from its start

    @property
    def admin_address(self):
        return self._admin

    def metrics(self):
        """Sums over all label values by metric name."""
        sums = {}
        for line in get(f"http://{self._admin}/metrics").splitlines():
            if line.startswith("#"):
                continue
            name, _, value = line.rpartition(" ")
            name = name.partition("{")[0]
            sums[name] = sums.get(name, 0.0) + float(value)
        return sums

    def accepted(self):
        return int(self.metrics()["fanfare_ingest_events_total"])

    def delivered(self):
        return int(self.metrics()["fanfare_endpoint_successes_total"])


class Peer(Contender):
    """tests/bench/peer."""

    def accepted(self):
        return json.loads(get(f"http://127.0.0.1:{self.port}/stats"))["accepted"]


def _log_entries(process):
    entries = []
    for line in process.output.splitlines():
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return entries


def _address(entries, listener):
    return next(entry["address"] for entry in entries
                if entry.get("msg") == "listening" and entry.get("listener") == listener)


@contextlib.contextmanager
def fanfare(bench, urls, endpoint=None, cores=None, **top):
    """`fanfare serve` with one endpoint per url; `endpoint` holds keys for each of them, `top`
    other top-level keys."""
    config = {"log": {"format": "json"}, "queue": {"max_bytes": QUEUE_BYTES},
              "shutdown": {"drain": "0s"}, **top,
              "ingest": {"listen": "127.0.0.1:0", **top.get("ingest", {})},
              "admin": {"listen": "127.0.0.1:0"},
              "endpoints": [{"name": f"endpoint-{number}", "url": url, **(endpoint or {})}
                            for number, url in enumerate(urls)]}
    file = bench.directory / f"fanfare-{bench.next_number()}.yaml"
    file.write_text(json.dumps(config, indent=1))  # JSON is YAML
    arguments = [bench.fanfare, "serve", "-c", file]
    core = bench.contender_core if cores is None else cores
    with Process(arguments, core, file.with_suffix(".log")) as process:
        def is_ready():
            return process.check_alive() and '"msg":"ready"' in process.output

        wait_until(is_ready, 20, "fanfare is not ready", pause=0.0005)
        ready_after = time.monotonic() - process.started_at
        entries = _log_entries(process)
        port = int(_address(entries, "ingest").rpartition(":")[2])
        yield Fanfare(process, port, _address(entries, "admin"), ready_after)


@contextlib.contextmanager
def peer(bench, mode, urls, in_flight=1):
    """One of the two Go programs, with as many threads for Go code as it has cores: one."""
    port = free_port()
    arguments = [bench.peer, "-mode", mode, "-listen", f"127.0.0.1:{port}",
                 "-urls", ",".join(urls), "-in-flight", in_flight]
    log = bench.directory / f"{mode}-{bench.next_number()}.log"
    with Process(arguments, bench.contender_core, log, {"GOMAXPROCS": "1"}) as process:
        process.wait_listening(port)
        yield Peer(process, port)


def start(bench, name, urls, in_flight=None):
    """A contender by its name; `in_flight` None leaves the default."""
    if name == "fanfare":
        return fanfare(bench, urls, {} if in_flight is None else {"max_in_flight": in_flight})
    if name in ("registry", "tuned"):
        return peer(bench, name, urls, in_flight or 1)
    raise BenchError(f"unknown contender: {name}")
