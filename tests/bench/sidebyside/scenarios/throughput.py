"""How much goes through, and what an event costs."""

import contextlib
import functools

from sidebyside import contenders
from sidebyside.measure import overdrive, reference, sustained
from sidebyside.scenarios.scenario import (REFERENCE_COLUMNS, Column, Ratio, Scenario, quotient)
from sidebyside.traffic import nginx

_OVERDRIVE = (
    Column("in_per_second", "in/s", 0),
    Column("out_per_second", "out/s", 0),
    Column("drained_per_second", "through/s", 0),
    Column("cpu_user_us", "user µs"),
    Column("cpu_system_us", "system µs"),
    Column("cpu_us", "CPU µs/event"),
    Column("peak_rss_mib", "peak MiB"),
    Column("refused", "refused", 0),
    Column("load_cpu_us", "wrk µs/POST"),
    Column("sink_cpu_us", "nginx µs/POST"),
    Column("others_percent", "others %"),
)
_SUSTAINED = (
    Column("sustained_per_second", "in = out/s", 0),
    Column("sustained_cpu_user_us", "user µs"),
    Column("sustained_cpu_system_us", "system µs"),
    Column("sustained_cpu_us", "CPU µs/event"),
    Column("sustained_rss_mib", "peak MiB"),
    Column("sustained_others_percent", "others %"),
)


class OneEndpoint(Scenario):
    """Subclasses vary `in_flight`."""

    in_flight = None
    sections = (("wrk posts as fast as it is answered; CPU until all is delivered", _OVERDRIVE),
                ("closed loop, 256 events under way", _SUSTAINED),
                ("nginx alone, posted to by wrk", REFERENCE_COLUMNS))

    def run(self, bench, contender):
        if contender == "reference":
            return reference(bench)
        start = functools.partial(self._start, bench, contender)
        with nginx(bench.directory, bench.load_core) as sink, start(sink.url) as running:
            figures = overdrive(bench, contender, running, sink)
        return figures | sustained(bench, start)

    def _start(self, bench, contender, url):
        return contenders.start(bench, contender, [url], self.in_flight)


class One(OneEndpoint):
    name = "one"
    about = "one endpoint, everything at its default"
    contenders = ("reference", "fanfare", "tuned", "registry")

    def ratios(self, figures):
        apart, together = ("reference", "apart_us"), ("reference", "together_us")
        closed = ("fanfare", "sustained_cpu_us")
        return [
            *quotient("fanfare / (nginx + wrk, a core each)", figures, "fanfare", apart, "≤ 1.25"),
            *quotient("fanfare / (nginx + wrk, one core)", figures, "fanfare", together),
            *quotient("fanfare / (nginx + wrk, beside fanfare)", figures, "fanfare",
                      ("fanfare", "ends_cpu_us")),
            *quotient("closed loop: fanfare / (nginx + wrk, a core each)", figures, closed, apart),
            *quotient("closed loop: fanfare / (nginx + wrk, one core)", figures, closed, together),
            *quotient("registry / fanfare", figures, "registry", "fanfare", "≥ 18"),
            *quotient("tuned / fanfare", figures, "tuned", "fanfare", "≥ 4"),
        ]


class Free(OneEndpoint):
    name = "free"
    about = "one endpoint, max_in_flight: 16"
    contenders = ("reference", "fanfare", "tuned")
    in_flight = 16

    def ratios(self, figures):
        return _sustained_rate(figures, "≥ 70000")


class Strict(OneEndpoint):
    name = "strict"
    about = "one endpoint, max_in_flight: 1"
    contenders = ("reference", "fanfare", "tuned")
    in_flight = 1

    def ratios(self, figures):
        return _sustained_rate(figures, "≥ 40000")


def _sustained_rate(figures, goal):
    rate = figures.get("fanfare", {}).get("sustained_per_second")
    return [Ratio("fanfare, sustained events/s", rate, goal, 0)] if rate else []


class Endpoints(Scenario):
    name = "endpoints"
    about = "1, 2 and 5 endpoints: what each additional one costs"
    counts = (1, 2, 5)
    contenders = ("reference", "fanfare", "tuned")
    sections = (("CPU per event", (Column("cpu_1_us", "1 endpoint"),
                                   Column("cpu_2_us", "2 endpoints"),
                                   Column("cpu_5_us", "5 endpoints"),
                                   Column("slope_us", "per additional endpoint"),
                                   Column("others_percent", "others %"))),
                ("nginx alone, posted to by wrk", REFERENCE_COLUMNS))

    def run(self, bench, contender):
        if contender == "reference":
            return reference(bench)
        figures = {"others_percent": 0}
        for count in self.counts:
            one = self._with_endpoints(bench, contender, count)
            figures[f"cpu_{count}_us"] = one["cpu_us"]
            figures["others_percent"] = max(figures["others_percent"], one["others_percent"])
        figures["slope_us"] = _slope([(n, figures[f"cpu_{n}_us"]) for n in self.counts])
        return figures

    @staticmethod
    def _with_endpoints(bench, contender, count):
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(nginx(bench.directory, bench.load_core))
            running = stack.enter_context(contenders.start(bench, contender, [sink.url] * count))
            return overdrive(bench, contender, running, sink, count)

    def ratios(self, figures):
        slope = ("fanfare", "slope_us")
        return [
            *quotient("additional endpoint / wrk's POST, a core each", figures, slope,
                      ("reference", "apart_sent_us"), "≤ 1.3"),
            *quotient("additional endpoint / wrk's POST, one core", figures, slope,
                      ("reference", "together_sent_us")),
        ]


def _slope(points):
    """Of the straight line through the points (least squares)."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return (sum((x - mean_x) * (y - mean_y) for x, y in points) /
            sum((x - mean_x) ** 2 for x, _ in points))
