"""What it costs to be there."""

import contextlib
import socket
import time

from sidebyside import contenders
from sidebyside.machine import voluntary_switches_of
from sidebyside.processes import raise_descriptor_limit, wait_until
from sidebyside.scenarios.scenario import Column, Ratio, Scenario, Skip
from sidebyside.traffic import EVENT_FILE, MEDIA_TYPE, nginx

_IDLE_SECONDS = 10
_CONNECTIONS = 10_000
_SPARE_DESCRIPTORS = 200


class Idle(Scenario):
    name = "idle"
    about = "one endpoint, nothing to do; and the time from start to ready"
    contenders = ("fanfare",)
    sections = (("idle", (Column("rss_mib", "RSS, MiB"), Column("ready_ms", "start to ready, ms"),
                          Column("switches", "wake-ups/s", 2),
                          Column("switches_after", "wake-ups/s after a delivery", 2))),)

    def run(self, bench, contender):
        with nginx(bench.directory, bench.load_core) as sink:
            with contenders.fanfare(bench, [sink.url]) as running:
                fresh = self._switches_per_second(running.pid)
                figures = {"rss_mib": running.rss() / 2**20,
                           "ready_ms": 1000 * running.ready_after}
                post(running.port)
                wait_until(lambda: sink.posts() == 1, 10, "the event is not delivered")
                return figures | {"switches": fresh,
                                  "switches_after": self._switches_per_second(running.pid)}

    @staticmethod
    def _switches_per_second(pid):
        before = voluntary_switches_of(pid)
        time.sleep(_IDLE_SECONDS)
        return (voluntary_switches_of(pid) - before) / _IDLE_SECONDS

    def ratios(self, figures):
        if "fanfare" not in figures:
            return []
        own = figures["fanfare"]
        return [Ratio("resident, MiB", own["rss_mib"], "≤ 20", 1),
                Ratio("start to ready, ms", own["ready_ms"], "≤ 50", 0),
                Ratio("wake-ups per second", own["switches"], "0 beyond housekeeping", 2)]


class Connections(Scenario):
    name = "connections"
    about = f"{_CONNECTIONS:,} ingest connections with nothing to say"
    contenders = ("fanfare",)
    sections = (("memory of a connection", (
        Column("fresh_kib", "that never said anything, KiB", 2),
        Column("used_kib", "that has posted an event, KiB", 2),
        Column("rss_mib", "RSS in all, MiB"))),)

    def run(self, bench, contender):
        limit = raise_descriptor_limit()
        if limit < _CONNECTIONS + _SPARE_DESCRIPTORS:
            raise Skip(f"{_CONNECTIONS} connections need as many descriptors, and the hard limit "
                       f"is {limit} (ulimit -Hn)")
        ingest = {"max_connections": _CONNECTIONS + _SPARE_DESCRIPTORS, "idle_timeout": "1h",
                  "header_timeout": "1h"}
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(nginx(bench.directory, bench.load_core))
            running = stack.enter_context(contenders.fanfare(bench, [sink.url], ingest=ingest))
            post(running.port)
            before = running.rss()
            connections = [stack.enter_context(connect(running.port, number))
                           for number in range(_CONNECTIONS)]
            opened = 1 + _CONNECTIONS
            wait_until(lambda: running.metrics()["fanfare_ingest_connections"] >= opened - 1, 30,
                       "not all connections are accepted")
            fresh = running.rss()
            for connection in connections:
                exchange(connection)
            wait_until(lambda: sink.posts() >= opened, 60, "not all events are delivered")
            used = running.rss()
        return {"fresh_kib": (fresh - before) / _CONNECTIONS / 1024,
                "used_kib": (used - before) / _CONNECTIONS / 1024, "rss_mib": used / 2**20}

    def ratios(self, figures):
        if "fanfare" not in figures:
            return []
        own = figures["fanfare"]
        return [Ratio("KiB per fresh connection", own["fresh_kib"], "≤ 20", 1),
                Ratio("KiB per used connection", own["used_kib"], "≤ 20", 1)]


def connect(port, number=0):
    """A connection; ports of a single source address would not do for very many of them."""
    source = (f"127.0.0.{1 + number % 8}", 0)
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=source)


def exchange(connection):
    """Posts one event and reads the answer."""
    body = EVENT_FILE.read_bytes()
    head = (f"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    connection.sendall(head.encode() + body)
    answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 202 "), answer


def post(port):
    with connect(port) as connection:
        exchange(connection)
