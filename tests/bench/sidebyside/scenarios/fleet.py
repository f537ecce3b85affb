"""What replicas with a queue on NATS take, and what each more of them costs."""

import contextlib
import http.client
import json
import shutil
import time

from sidebyside import contenders
from sidebyside.machine import cpu_of
from sidebyside.measure import DRAIN_SECONDS
from sidebyside.processes import BenchError, Process, free_port, wait_until
from sidebyside.scenarios.scenario import Column, Ratio, Scenario, Skip
from sidebyside.traffic import Wrk, nginx

SENDERS = 64
REPLICAS = (1, 2, 3)
# Each replica reads every event of the fleet for its history.
KINDS = {"nats": {}, "bare": {"history": {"capacity": 0}}}


class Fleet(Scenario):
    name = "fleet"
    about = (f"storage: nats on one server, {SENDERS} senders in all that each wait for their 202; "
             "all cores are shared. Reference: one daemon with its queue on disk")
    contenders = ("reference", "fanfare")
    sections = (
        ("the queue on disk", (Column("disk_in_per_second", "in/s", 0),
                               Column("disk_through_per_second", "through/s", 0),
                               Column("disk_cpu_us", "CPU µs/event"))),
        *((f"{number} on NATS{', no history' if kind == 'bare' else ''}", (
            Column(f"{kind}{number}_in_per_second", "in/s", 0),
            Column(f"{kind}{number}_through_per_second", "through/s", 0),
            Column(f"{kind}{number}_cpu_us", "CPU µs/event, replicas"),
            Column(f"{kind}{number}_server_us", "CPU µs/event, NATS"),
            Column(f"{kind}{number}_p99_ms", "202 p99 ms", 2),
            Column(f"{kind}{number}_refused", "refused", 0),
            Column(f"{kind}{number}_missing", "missing", 0)))
          for kind in KINDS for number in REPLICAS),
    )

    def run(self, bench, contender):
        if contender == "reference":
            queue = {"storage": "disk", "max_bytes": contenders.QUEUE_BYTES, "max_disk": "20GiB",
                     "dir": str(bench.directory / f"queue-{bench.next_number()}")}
            return {f"disk_{key}": value
                    for key, value in _load(bench, queue, 1, None).items()}
        if shutil.which("nats-server") is None:
            raise Skip("nats-server is not installed")
        figures = {}
        for replicas in REPLICAS:
            for kind, more in KINDS.items():
                with _nats(bench) as (server, url):
                    queue = {"storage": "nats", "servers": [url], "replicas": 1}
                    found = _load(bench, queue, replicas, server, **more)
                figures |= {f"{kind}{replicas}_{key}": value for key, value in found.items()}
        return figures

    def ratios(self, figures):
        own, disk = figures.get("fanfare"), figures.get("reference")
        if not own:
            return []
        found = [Ratio(f"CPU per event, {number} replicas / 1{', no history' * (kind == 'bare')}",
                       own[f"{kind}{number}_cpu_us"] / own[f"{kind}1_cpu_us"], "0.9-1.1")
                 for kind in KINDS for number in REPLICAS[1:]]
        if disk:
            found.append(Ratio("through/s, 1 replica on NATS / on disk",
                               own["nats1_through_per_second"] / disk["disk_through_per_second"],
                               "≥ 0.6"))
        return found


@contextlib.contextmanager
def _nats(bench):
    """A server with an empty store: itself, and where it is."""
    place = bench.directory / f"nats-{bench.next_number()}"
    place.mkdir()
    port = free_port()
    config = place / "nats.conf"
    config.write_text(json.dumps({"host": "127.0.0.1", "port": port,
                                  "jetstream": {"store_dir": str(place / "store"),
                                                "max_file_store": 40 << 30}}))
    log = place / "nats.log"
    with Process(["nats-server", "-c", config], bench.all_cores, log) as server:
        server.wait_listening(port)
        yield server, f"nats://127.0.0.1:{port}"
    shutil.rmtree(place / "store", ignore_errors=True)


def _answers(admin, path):
    connection = http.client.HTTPConnection(admin, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def _load(bench, queue, replicas, server, **more):
    """So many daemons that have been sent events for a while, and have delivered them all."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(nginx(bench.directory, bench.all_cores))
        running = [stack.enter_context(contenders.fanfare(
            bench, [sink.url], {"max_in_flight": 64}, bench.all_cores, queue=queue, **more))
            for _ in range(replicas)]
        for one in running:
            wait_until(lambda at=one.admin_address: _answers(at, "/readyz") == 200, 20,
                       "no replica is ready")
        before = [cpu_of(one.pid) for one in running]
        server_before = cpu_of(server.pid) if server else None
        begun = time.monotonic()
        loads = [stack.enter_context(Wrk(
            bench.directory, bench.all_cores, one.port, bench.options.seconds, variants="new",
            connections=SENDERS // replicas, first=number * 10**9))
            for number, one in enumerate(running)]
        answers = [load.finish() for load in loads]
        broken = sum(one["broken"] for one in answers)
        if broken:
            raise BenchError(f"{broken} connections broke under load")
        time.sleep(0.05)  # requests that were cut off at the end of the load
        accepted = sum(one.accepted() for one in running)
        wait_until(lambda: sink.posts() >= accepted, DRAIN_SECONDS,
                   f"accepted events are not delivered: {sink.posts()} of {accepted}")
        took = time.monotonic() - begun
        cpu = sum((cpu_of(one.pid) - old).total for one, old in zip(running, before))
        figures = {"in_per_second": accepted / max(one["seconds"] for one in answers),
                   "through_per_second": accepted / took,
                   "cpu_us": cpu / accepted * 1e6,
                   "refused": sum(one["refused"] for one in answers),
                   "missing": accepted - sink.posts(),
                   "p99_ms": max(one["p99_us"] for one in answers) / 1e3}
        if server:
            figures["server_us"] = (cpu_of(server.pid) - server_before).total / accepted * 1e6
        return figures
