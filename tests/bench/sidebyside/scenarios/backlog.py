"""What waits for an endpoint that is dead."""

import time

from sidebyside import contenders
from sidebyside.machine import cpu_of
from sidebyside.processes import free_port, wait_until
from sidebyside.scenarios.scenario import Column, Ratio, Scenario, Skip, quotient
from sidebyside.traffic import Wrk, nginx

# Of RSS for each event, generously, to know beforehand whether it all fits.
_BYTES_PER_EVENT = 2048


class Pending(Scenario):
    name = "pending"
    about = "a backlog for a dead endpoint, which then comes back (max_in_flight: 16)"
    contenders = ("fanfare",)
    sections = (
        ("memory", (Column("events", "pending", 0),
                    Column("payload_bytes", "payload, B/event"),
                    Column("overhead_bytes", "RSS over payload, B/event"),
                    Column("after_drain_mib", "RSS once drained, MiB"))),
        ("rates", (Column("enqueue_first_us", "enqueue first, CPU µs", 2),
                   Column("enqueue_last_us", "last, CPU µs", 2),
                   Column("enqueue_first_rate", "first/s", 0),
                   Column("enqueue_last_rate", "last/s", 0),
                   Column("drain_first_us", "drain first, CPU µs", 2),
                   Column("drain_last_us", "last, CPU µs", 2),
                   Column("drain_first_rate", "first/s", 0),
                   Column("drain_last_rate", "last/s", 0))),
    )

    def run(self, bench, contender):
        count = bench.options.pending
        if _available_bytes() < count * _BYTES_PER_EVENT:
            raise Skip(f"not enough memory for {count} pending events; see --pending")
        port = free_port()
        with contenders.fanfare(bench, [f"http://127.0.0.1:{port}/"],
                                {"max_in_flight": 16}) as running:
            rss_before = running.rss()
            figures = self._fill(bench, running, count)
            metrics = running.metrics()
            events = metrics["fanfare_endpoint_pending_events"]
            payload = metrics["fanfare_endpoint_pending_bytes"] / events
            rss = (running.rss() - rss_before) / events
            figures |= {"events": events, "payload_bytes": payload, "overhead_bytes": rss - payload}
            figures |= self._drain(bench, running, port, events)
            return figures | {"after_drain_mib": running.rss() / 2**20}

    @staticmethod
    def _fill(bench, running, count):
        """Seconds of wrk until there are enough; the first and the last of them are compared."""
        seconds = []
        accepted = running.accepted()
        while accepted < count:
            before = cpu_of(running.pid)
            with Wrk(bench.directory, bench.load_core, running.port, 1) as wrk:
                duration = wrk.finish()["seconds"]
            cpu = cpu_of(running.pid) - before
            now = running.accepted()
            seconds.append((cpu.micros_per(now - accepted)[2], (now - accepted) / duration))
            accepted = now
        return {"enqueue_first_us": seconds[0][0], "enqueue_first_rate": seconds[0][1],
                "enqueue_last_us": seconds[-1][0], "enqueue_last_rate": seconds[-1][1]}

    def _drain(self, bench, running, port, events):
        """The endpoint comes back; the first tenth of what leaves is compared with the last."""
        with nginx(bench.directory, bench.load_core, port) as sink:
            wait_until(lambda: sink.posts() > 0, 30, "nothing comes to the endpoint that is back")
            first = self._until(running, sink, sink.posts() + events / 10)
            self._until(running, sink, events * 0.9)
            last = self._until(running, sink, events)
        return {"drain_first_us": first[0], "drain_first_rate": first[1],
                "drain_last_us": last[0], "drain_last_rate": last[1]}

    @staticmethod
    def _until(running, sink, count):
        """CPU per delivery, and deliveries per second, until the sink has `count`."""
        posts, cpu, start = sink.posts(), cpu_of(running.pid), time.monotonic()
        wait_until(lambda: running.process.check_alive() and sink.posts() >= count, 600,
                   "the backlog does not drain")
        done = sink.posts() - posts
        return ((cpu_of(running.pid) - cpu).micros_per(done)[2],
                done / (time.monotonic() - start))

    def ratios(self, figures):
        if "fanfare" not in figures:
            return []
        own = figures["fanfare"]
        return [Ratio("RSS over payload, B/event", own["overhead_bytes"], "≤ 145", 0),
                *quotient("enqueue: full / empty queue, CPU", figures,
                          ("fanfare", "enqueue_last_us"), ("fanfare", "enqueue_first_us"), "≈ 1"),
                *quotient("drain: full / nearly empty queue, CPU", figures,
                          ("fanfare", "drain_first_us"), ("fanfare", "drain_last_us"), "≈ 1")]


def _available_bytes():
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
