"""Many endpoints, several threads."""

import contextlib
import http.client
import json
import time

from sidebyside import contenders
from sidebyside.measure import Meter, open_loop, overdrive, settle
from sidebyside.processes import BenchError, wait_until
from sidebyside.scenarios.scenario import Column, Ratio, Scenario, quotient
from sidebyside.traffic import EVENT_FILE, MEDIA_TYPE, nginx

ENDPOINTS = 1000


class Poster:
    """One kept connection that posts events from here."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, body):
        self._connection.request("POST", "/events", body, {"Content-Type": MEDIA_TYPE})
        response = self._connection.getresponse()
        response.read()
        if response.status != 202:
            raise BenchError(f"ingest answered {response.status}")


def envelope(count):
    """The usual event, `count` times."""
    event = json.loads(EVENT_FILE.read_text())["events"][0]
    return json.dumps({"events": [event] * count}, indent=3).encode()


class Thousand(Scenario):
    name = "thousand"
    about = "1,000 deliveries a second: one event to 1,000 endpoints, or 1,000 events to one"
    contenders = ("fanfare",)
    sections = (
        ("cost of a delivery", (
            Column("crowd_us", "one event/s to 1,000 endpoints, µs", 2),
            Column("paced_us", "1,000 POSTs/s to one endpoint, µs", 2),
            Column("burst_us", "1,000 events at once to one endpoint, µs", 2),
            Column("others_percent", "others %"))),
        ("memory of an endpoint", (
            Column("idle_kib", "idle, KiB"),
            Column("connected_kib", "after deliveries, with its connection, KiB"),
            Column("rss_mib", "1,000 endpoints in all, MiB"))),
    )

    def run(self, bench, contender):
        one = self._each_second(bench, 1, ENDPOINTS)
        crowd = self._each_second(bench, ENDPOINTS, 1)
        paced = open_loop(bench, lambda url: contenders.fanfare(bench, [url]), ENDPOINTS)
        spread = ENDPOINTS - 1
        return {"paced_us": paced["cpu_us"], "burst_us": one["cpu_us"], "crowd_us": crowd["cpu_us"],
                "idle_kib": (crowd["idle"] - one["idle"]) / spread / 1024,
                "connected_kib": (crowd["after"] - one["after"]) / spread / 1024,
                "rss_mib": crowd["after"] / 2**20,
                "others_percent": max(one["others_percent"], crowd["others_percent"])}

    @staticmethod
    def _each_second(bench, endpoints, events):
        """Posts `events` to `endpoints` each second."""
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(nginx(bench.directory, bench.load_core))
            running = stack.enter_context(contenders.fanfare(bench, [sink.url] * endpoints))
            idle = running.rss()
            poster, body = Poster(running.port), envelope(events)
            poster.post(body)  # opens all connections
            settle(running, sink, endpoints)
            seconds = max(3, int(bench.options.seconds))
            due = sink.posts() + seconds * ENDPOINTS
            # No scrape from here on: with 1,000 endpoints it would cost more than some deliveries.
            meter = Meter(bench, running)
            next_at = time.monotonic()
            for _ in range(seconds):
                poster.post(body)
                next_at += 1
                time.sleep(max(0.0, next_at - time.monotonic()))
            wait_until(lambda: sink.posts() >= due, 30, "accepted events are not delivered")
            return {**meter.figures(seconds * ENDPOINTS), "idle": idle, "after": running.rss()}

    def ratios(self, figures):
        crowd = ("fanfare", "crowd_us")
        return [*quotient("a delivery with 1,000 endpoints / with one, 1,000 POSTs/s", figures,
                          crowd, ("fanfare", "paced_us"), "≤ 1.2"),
                *quotient("a delivery with 1,000 endpoints / with one, events at once", figures,
                          crowd, ("fanfare", "burst_us")),
                *([Ratio("KiB per idle endpoint", figures["fanfare"]["idle_kib"], "≤ 32", 1)]
                  if "fanfare" in figures else [])]


class Threads(Scenario):
    name = "threads"
    about = "two endpoints with threads: 1 and threads: 2, on all cores"
    contenders = ("fanfare",)
    sections = (("CPU per event", (
        Column("cpu_1_us", "threads: 1"), Column("cpu_2_us", "threads: 2"),
        Column("rate_1", "through/s, threads: 1", 0),
        Column("rate_2", "through/s, threads: 2", 0))),)

    def run(self, bench, contender):
        figures = {}
        for threads in (1, 2):
            one = self._with_threads(bench, threads)
            figures[f"cpu_{threads}_us"] = one["cpu_us"]
            figures[f"rate_{threads}"] = one["drained_per_second"] / 2
        return figures

    @staticmethod
    def _with_threads(bench, threads):
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(nginx(bench.directory, bench.load_core))
            running = stack.enter_context(contenders.fanfare(
                bench, [sink.url] * 2, cores=bench.all_cores, threads=threads))
            return overdrive(bench, "fanfare", running, sink, 2)

    def ratios(self, figures):
        return quotient("threads: 2 / threads: 1", figures, ("fanfare", "cpu_2_us"),
                        ("fanfare", "cpu_1_us"), "≤ 1.1")
