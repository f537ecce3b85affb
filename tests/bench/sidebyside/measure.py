"""The measurements that scenarios are made of. Each returns figures: a mapping of numbers."""

import contextlib
import time

from sidebyside.machine import busy_seconds, cpu_of
from sidebyside.processes import BenchError, free_port, wait_until
from sidebyside.traffic import Wrk, both_ends, nginx

# A slow contender takes far more than it delivers; what it then has queued must be waited for.
LOAD_SHARE = {"registry": 0.3, "tuned": 0.6}
DRAIN_SECONDS = 300
# Events under way in the closed loop: enough to keep every part busy, and little to hold.
WINDOW = 256


class Meter:
    """CPU of a contender from here on, and how much of its core went to others."""

    def __init__(self, bench, contender):
        self._core = bench.contender_core
        self._pid = contender.pid
        self._cpu = cpu_of(self._pid)
        self._busy = busy_seconds(self._core)
        self._start = time.monotonic()

    def figures(self, events):
        seconds = time.monotonic() - self._start
        cpu = cpu_of(self._pid) - self._cpu
        user, system, total = cpu.micros_per(events)
        others = busy_seconds(self._core) - self._busy - cpu.total
        return {"cpu_user_us": user, "cpu_system_us": system, "cpu_us": total,
                "others_percent": max(0.0, 100 * others / seconds)}


def settle(contender, sink, fan_out=1, accepted_before=0, delivered_before=0):
    """Waits until the sink has all that the contender has accepted; returns the number of events
    accepted and of deliveries."""
    def counts():
        return contender.accepted() - accepted_before, sink.posts() - delivered_before

    time.sleep(0.05)  # requests that were cut off at the end of the load
    due = counts()[0] * fan_out
    wait_until(lambda: contender.process.check_alive() and sink.posts() - delivered_before >= due,
               DRAIN_SECONDS, "accepted events are not delivered")
    return counts()


def overdrive(bench, name, contender, sink, fan_out=1):
    """wrk posts as fast as it is answered; then the queues drain. CPU is counted over both."""
    warm_up(bench, contender, sink, fan_out)
    accepted_before, delivered_before = contender.accepted(), sink.posts()
    meter, sink_cpu = Meter(bench, contender), cpu_of(sink.process.pid)
    start = time.monotonic()
    load = max(1, bench.options.seconds * LOAD_SHARE.get(name, 1))
    with Wrk(bench.directory, bench.load_core, contender.port, load) as wrk:
        answers = wrk.finish()
        out_during_load = sink.posts() - delivered_before
        load_cpu = wrk.process.cpu
    if answers["broken"]:
        raise BenchError(f"{name}: {answers['broken']} connections broke under load")
    accepted, delivered = settle(contender, sink, fan_out, accepted_before, delivered_before)
    seconds = time.monotonic() - start
    sent = load_cpu.micros_per(answers["requests"])[2]
    received = (cpu_of(sink.process.pid) - sink_cpu).micros_per(delivered)[2]
    return {"accepted": accepted, "delivered": delivered, "refused": answers["refused"],
            "missing": accepted * fan_out - delivered,
            "in_per_second": accepted / answers["seconds"],
            "out_per_second": out_during_load / answers["seconds"],
            "drained_per_second": delivered / seconds,
            "load_cpu_us": sent, "sink_cpu_us": received, "ends_cpu_us": sent + received,
            "peak_rss_mib": contender.peak_rss() / 2**20, **meter.figures(accepted)}


def warm_up(bench, contender, sink, fan_out=1):
    """A second of load, drained: connections are open, pages are there."""
    accepted, delivered = contender.accepted(), sink.posts()
    with Wrk(bench.directory, bench.load_core, contender.port, 1) as wrk:
        wrk.finish()
    settle(contender, sink, fan_out, accepted, delivered)


def sustained(bench, start):
    """Closed loop: as fast as events come out, new ones go in. `start(url)` gives the contender.
    CPU counts from the first event to the last."""
    port = free_port()
    with start(f"http://127.0.0.1:{port}/") as contender:
        before = contender.accepted()
        meter = Meter(bench, contender)
        result = both_ends(bench, contender.port, port, window=WINDOW,
                           seconds=bench.options.seconds, warm_up=0.5)
        figures = meter.figures(contender.accepted() - before)
        return {"sustained_per_second": result["per_second"],
                "sustained_refused": result["refused"],
                "sustained_rss_mib": contender.peak_rss() / 2**20,
                **{f"sustained_{key}": value for key, value in figures.items()}}


def open_loop(bench, start, rate):
    """A fixed rate, on schedule, whatever the contender does: how long events take."""
    port = free_port()
    with start(f"http://127.0.0.1:{port}/") as contender:
        meter = Meter(bench, contender)
        result = both_ends(bench, contender.port, port, rate=rate,
                           seconds=bench.options.seconds, warm_up=1)
        figures = meter.figures(result["delivered"])
        written, scheduled = result["written"], result["scheduled"]
        return {"p50_us": written["p50_us"], "p99_us": written["p99_us"],
                "p999_us": written["p999_us"], "max_us": written["max_us"],
                "answered_p99_us": result["answered_p99_us"],
                "scheduled_p50_us": scheduled["p50_us"], "scheduled_p99_us": scheduled["p99_us"],
                "scheduled_p999_us": scheduled["p999_us"], "refused": result["refused"],
                "out_per_second": result["per_second"],
                "peak_rss_mib": contender.peak_rss() / 2**20, **figures}


def reference(bench):
    """What parts cost without a contender: wrk posts to nginx, each on a core of its own
    (`apart`), and both on the core of load and sink (`together`)."""
    figures = {}
    for place, core in (("apart", bench.contender_core), ("together", bench.load_core)):
        with nginx(bench.directory, core) as sink, contextlib.ExitStack() as stack:
            before = cpu_of(sink.process.pid)
            posts_before = sink.posts()
            wrk = stack.enter_context(Wrk(bench.directory, bench.load_core, sink.port,
                                          bench.options.seconds, variants=1))
            answers = wrk.finish()
            posts = sink.posts() - posts_before
            received = (cpu_of(sink.process.pid) - before).micros_per(posts)[2]
            sent = wrk.process.cpu.micros_per(answers["requests"])[2]
        figures |= {f"{place}_received_us": received, f"{place}_sent_us": sent,
                    f"{place}_us": received + sent,
                    f"{place}_per_second": answers["requests"] / answers["seconds"]}
    return figures
