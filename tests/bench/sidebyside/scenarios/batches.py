"""A hundred events in a request, in and out."""

import json
import time

from sidebyside import contenders
from sidebyside.measure import DRAIN_SECONDS, Meter
from sidebyside.processes import BenchError, wait_until
from sidebyside.scenarios.scenario import Column, Ratio, Scenario
from sidebyside.traffic import EVENT_FILE, Wrk, nginx

EVENTS = 100


class Batches(Scenario):
    name = "batches"
    about = f"{EVENTS} events per POST in and out, one endpoint"
    contenders = ("fanfare",)
    sections = (("wrk posts as fast as it is answered; CPU until all is delivered", (
        Column("in_per_second", "events in/s", 0),
        Column("through_per_second", "events through/s", 0),
        Column("events_per_request", "events per POST out"),
        Column("cpu_user_us", "user µs/event", 2),
        Column("cpu_system_us", "system µs/event", 2),
        Column("cpu_us", "CPU µs/event", 2),
        Column("per_core_second", "events/s of CPU", 0),
        Column("peak_rss_mib", "peak MiB"),
        Column("refused", "refused", 0),
        Column("others_percent", "others %"),
    )),)

    def run(self, bench, contender):
        body = bench.directory / "batch.json"
        event = json.loads(EVENT_FILE.read_text())["events"][0]
        body.write_text(json.dumps({"events": [event] * EVENTS}, indent=3))
        endpoint = {"batch": {"max_events": EVENTS, "max_bytes": "4MiB"}, "timeout": "10s"}
        with nginx(bench.directory, bench.load_core) as sink, \
                contenders.fanfare(bench, [sink.url], endpoint) as running:
            self._load(bench, running, body, 1)
            posts = sink.posts()
            before = running.accepted()
            meter = Meter(bench, running)
            start = time.monotonic()
            answers = self._load(bench, running, body, bench.options.seconds)
            seconds = time.monotonic() - start
            accepted = running.accepted() - before
            figures = meter.figures(accepted)
            return {"in_per_second": accepted / answers["seconds"],
                    "through_per_second": accepted / seconds,
                    "events_per_request": accepted / (sink.posts() - posts),
                    "per_core_second": 1e6 / figures["cpu_us"],
                    "peak_rss_mib": running.peak_rss() / 2**20,
                    "refused": answers["refused"], **figures}

    @staticmethod
    def _load(bench, running, body, seconds):
        """Load, and then until all is delivered."""
        with Wrk(bench.directory, bench.load_core, running.port, seconds, variants=1,
                 body=body) as wrk:
            answers = wrk.finish()
        if answers["broken"]:
            raise BenchError(f"{answers['broken']} connections broke under load")
        time.sleep(0.05)
        wait_until(lambda: running.delivered() >= running.accepted(), DRAIN_SECONDS,
                   "accepted events are not delivered")
        return answers

    def ratios(self, figures):
        rate = figures.get("fanfare", {}).get("per_core_second")
        return [Ratio("fanfare, events per second of one core", rate, "≥ 400000", 0)] if rate \
            else []
