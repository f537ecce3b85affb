"""What a queue on disk takes, beside what the store alone takes."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

from sidebyside import contenders
from sidebyside.machine import cpu_of
from sidebyside.measure import settle
from sidebyside.processes import BenchError, Process
from sidebyside.scenarios.scenario import Column, Ratio, Scenario
from sidebyside.traffic import Wrk, nginx

SENDERS = 64


class Durable(Scenario):
    name = "durable"
    about = (f"storage: disk, {SENDERS} senders that each wait for their 202; all cores are shared. "
             "References: the journal alone, with as many waiting, and the same daemon in memory")
    contenders = ("reference", "fanfare")
    sections = (
        ("the journal alone", (Column("store_per_second", "events/s", 0),
                               Column("store_events_per_commit", "events/commit"))),
        ("the queue in memory, all else the same", (Column("memory_per_second", "in/s", 0),
                                                    Column("memory_cpu_us", "CPU µs/event"))),
        ("events that were answered 202", (
            Column("in_per_second", "in/s", 0), Column("out_per_second", "out/s", 0),
            Column("p50_ms", "202 p50 ms", 2), Column("p99_ms", "202 p99 ms", 2),
            Column("events_per_commit", "events/commit"), Column("commit_ms", "commit ms", 2),
            Column("cpu_us", "CPU µs/event"), Column("refused", "refused", 0),
            Column("peak_rss_mib", "peak MiB"))),
    )

    def run(self, bench, contender):
        if contender == "reference":
            return self._store(bench) | self._memory(bench)
        return self._disk(bench)

    @staticmethod
    def _store(bench):
        arguments = [bench.both_ends.parent / "fanfare_bench",
                     f"--benchmark_filter=journal_append/{SENDERS}/",
                     f"--benchmark_min_time={bench.options.seconds}", "--benchmark_format=json"]
        log = bench.directory / f"store-{bench.next_number()}.log"
        with Process(arguments, bench.all_cores, log, {"TMPDIR": str(bench.directory)}) as process:
            output = process.finish()
        result = json.loads(output[output.index("{"):])["benchmarks"][0]
        return {"store_per_second": result["items_per_second"],
                "store_events_per_commit": result["events_per_commit"]}

    def _memory(self, bench):
        with self._load(bench, {"max_bytes": contenders.QUEUE_BYTES}) as load:
            return {"memory_per_second": load.accepted / load.answers["seconds"],
                    "memory_cpu_us": load.cpu_us}

    def _disk(self, bench):
        queue = {"storage": "disk", "dir": str(bench.directory / f"queue-{bench.next_number()}"),
                 "max_bytes": contenders.QUEUE_BYTES, "max_disk": "20GiB"}
        with self._load(bench, queue) as load:
            metrics = load.running.metrics()
            commits = metrics["fanfare_store_commit_events_count"]
            return {"accepted": load.accepted, "missing": load.accepted - load.delivered,
                    "in_per_second": load.accepted / load.answers["seconds"],
                    "out_per_second": load.out / load.answers["seconds"],
                    "p50_ms": load.answers["p50_us"] / 1e3,
                    "p99_ms": load.answers["p99_us"] / 1e3,
                    "events_per_commit": metrics["fanfare_store_commit_events_sum"] / commits,
                    "commit_ms": 1e3 * metrics["fanfare_store_commit_duration_seconds_sum"] /
                                 metrics["fanfare_store_commit_duration_seconds_count"],
                    "cpu_us": load.cpu_us, "refused": load.answers["refused"],
                    "peak_rss_mib": load.running.peak_rss() / 2**20}

    @staticmethod
    @contextmanager
    def _load(bench, queue):
        """A daemon that has been sent events for a while, and has delivered them all."""
        # The library's thread and the disk's, and those of load and sink: whoever wants a core.
        with nginx(bench.directory, bench.all_cores) as sink, \
                contenders.fanfare(bench, [sink.url], {"max_in_flight": 16}, bench.all_cores,
                                   queue=queue) as running:
            before = cpu_of(running.pid)
            with Wrk(bench.directory, bench.all_cores, running.port, bench.options.seconds,
                     connections=SENDERS) as wrk:
                answers = wrk.finish()
                out = sink.posts()
            if answers["broken"]:
                raise BenchError(f"{answers['broken']} connections broke under load")
            accepted, delivered = settle(running, sink)
            cpu_us = (cpu_of(running.pid) - before).micros_per(accepted)[2]
            yield SimpleNamespace(running=running, answers=answers, out=out, accepted=accepted,
                                  delivered=delivered, cpu_us=cpu_us)

    def ratios(self, figures):
        own, store = figures.get("fanfare"), figures.get("reference")
        if not own:
            return []
        found = [Ratio("fanfare, durable events/s", own["in_per_second"], "≥ 30000", 0),
                 Ratio("fanfare, 202 p99 ms", own["p99_ms"], "≤ 10")]
        if store:
            found.append(Ratio("fanfare / the journal alone",
                               own["in_per_second"] / store["store_per_second"], "≥ 0.6"))
            found.append(Ratio("fanfare / fanfare in memory",
                               own["in_per_second"] / store["memory_per_second"]))
        return found
