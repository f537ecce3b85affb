"""What live streams cost those who send and receive."""

import contextlib
import pathlib
import subprocess
import sys

from sidebyside import contenders
from sidebyside.measure import open_loop
from sidebyside.processes import BenchError
from sidebyside.scenarios.scenario import Column, Ratio, Scenario

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "readers.py"
RATE = 5000
STREAMS = 50


class Streams(Scenario):
    name = "streams"
    about = (f"{STREAMS} live streams at {RATE} events/s, beside none (the reference); all cores "
             "are shared by daemon, load, sink and readers")
    contenders = ("reference", "fanfare")
    sections = (
        ("from writing the request to having read the whole delivery", (
            Column("p50_us", "p50 µs"), Column("p99_us", "p99 µs"),
            Column("answered_p99_us", "202 p99 µs, by second"), Column("max_us", "max µs"),
            Column("out_per_second", "out/s", 0), Column("cpu_us", "CPU µs/event"),
            Column("peak_rss_mib", "peak MiB"), Column("streamed", "streamed/s", 0),
            Column("evicted", "ended", 0))),
    )

    def run(self, bench, contender):
        count = STREAMS if contender == "fanfare" else 0
        after = {}

        @contextlib.contextmanager
        def start(url):
            limits = {"max_total": 1000, "max_per_client": 1000}
            with contenders.fanfare(bench, [url], None, bench.all_cores,
                                    streams=limits) as running, self._readers(bench, running, count):
                yield running
                after.update(running.metrics())

        figures = open_loop(bench, start, RATE)
        figures["streamed"] = after["fanfare_stream_events_sent_total"] / (bench.options.seconds + 1)
        figures["evicted"] = after["fanfare_streams_closed_total"]
        return figures

    @staticmethod
    @contextlib.contextmanager
    def _readers(bench, running, count):
        if count == 0:
            yield
            return
        tool = TOOL
        with subprocess.Popen([sys.executable, tool, running.admin_address, str(count)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as readers:
            if readers.stdout.readline() != b"reading\n":
                raise BenchError("the readers did not begin")
            yield
            readers.stdin.close()
            readers.wait(10)

    def ratios(self, figures):
        if "fanfare" not in figures or "reference" not in figures:
            return []
        own, without = figures["fanfare"], figures["reference"]
        return [Ratio("delivery rate, with by without", own["out_per_second"] /
                      without["out_per_second"], "≥ 0.9"),
                Ratio("p99 until delivered, with by without", own["p99_us"] / without["p99_us"]),
                Ratio("p99 until the 202, with by without",
                      own["answered_p99_us"] / without["answered_p99_us"], "≤ 1.1")]
