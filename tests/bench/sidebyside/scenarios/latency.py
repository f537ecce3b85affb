"""How long an event takes."""

import functools

from sidebyside import contenders
from sidebyside.measure import open_loop
from sidebyside.scenarios.scenario import Column, Ratio, Scenario

RATE = 5000


class Latency(Scenario):
    name = "latency"
    about = f"from accept to delivery at {RATE} events/s, one endpoint, everything at its default"
    contenders = ("fanfare", "tuned", "registry")
    sections = (
        ("from writing the request to having read the whole delivery", (
            Column("p50_us", "p50 µs"), Column("p99_us", "p99 µs"),
            Column("p999_us", "p99.9 µs"), Column("max_us", "max µs"),
            Column("out_per_second", "out/s", 0), Column("cpu_us", "CPU µs/event"),
            Column("peak_rss_mib", "peak MiB"), Column("others_percent", "others %"))),
        ("from the time on the schedule", (
            Column("scheduled_p50_us", "p50 µs"), Column("scheduled_p99_us", "p99 µs"),
            Column("scheduled_p999_us", "p99.9 µs"))),
    )

    def run(self, bench, contender):
        return open_loop(bench, functools.partial(self._start, bench, contender), RATE)

    @staticmethod
    def _start(bench, contender, url):
        return contenders.start(bench, contender, [url])

    def ratios(self, figures):
        if "fanfare" not in figures:
            return []
        own = figures["fanfare"]
        return [Ratio("fanfare, p50 µs", own["p50_us"], "≤ 200", 0),
                Ratio("fanfare, p99 µs", own["p99_us"], "≤ 1000", 0)]
