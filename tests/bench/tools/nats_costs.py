#!/usr/bin/env python3
"""What an event costs in NATS alone: CPU time of its servers, bytes on the wire and on disk, and
how fast a strictly ordered endpoint can be. The figures of lib/doc/scaling.md.

    tests/bench/tools/nats_costs.py [EVENTS]      # 50,000; needs nats-server, ends what it starts
"""

import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "e2e"))

from harness.nats import NatsCluster, NatsServer  # noqa: E402
from harness.nats_client import publish_bytes  # noqa: E402

WINDOW = 500
BATCH = 100
PAYLOAD = (ROOT / "bench/load/event.json").read_bytes().strip()
CONSUMER = {"ack_policy": "explicit", "deliver_policy": "all", "ack_wait": 10_000_000_000,
            "max_deliver": -1, "max_waiting": 512}


class Servers:
    """One, or three; the client is connected to the one that leads the stream."""

    def __init__(self, folder, replicas):
        self.replicas = replicas
        if replicas == 1:
            self.all = [NatsServer(folder).start()]
        else:
            self.cluster = NatsCluster(folder).start()
            self.all = self.cluster.nodes
        with self.all[0].client(30) as client:
            client.api("STREAM.CREATE.cost", {
                "name": "cost", "subjects": ["cost.events.*"], "retention": "limits",
                "discard": "new", "storage": "file", "num_replicas": replicas,
                "duplicate_window": 120_000_000_000, "allow_direct": True})
        leader = self.all[0] if replicas == 1 else self.cluster.wait_stream_leader("cost")
        self.leader = leader
        self.client = leader.client(30)
        self.published = 0

    def reconnect(self):
        """What may still come for earlier questions is not heard any more."""
        self.client.close()
        self.client = self.leader.client(30)

    def cpu(self):
        return sum(server.cpu_seconds() for server in self.all)

    def route_bytes(self):
        return sum(route["out_bytes"] for server in self.all
                   for route in server.monitor("/routez")["routes"])

    def close(self):
        self.client.close()
        for server in self.all:
            server.close()


class Meter:
    """CPU time of the servers and bytes on the wire from here on, each per event."""

    def __init__(self, servers):
        self.servers = servers
        self.begun = time.monotonic()
        self.cpu, self.routes = servers.cpu(), servers.route_bytes()
        self.leader = servers.leader.cpu_seconds()
        self.written, self.read = servers.client.bytes_written, servers.client.bytes_read

    def print(self, what, events):
        took = time.monotonic() - self.begun
        cpu = (self.servers.cpu() - self.cpu) / events * 1e6
        leader = (self.servers.leader.cpu_seconds() - self.leader) / events * 1e6
        client = self.servers.client
        print(f"{self.servers.replicas} replicas  {what:22} {cpu:6.1f} us CPU "
              f"(leader {leader:.1f}), "
              f"{(client.bytes_written - self.written) / events:6.0f} B in, "
              f"{(client.bytes_read - self.read) / events:6.0f} B out, "
              f"{(self.servers.route_bytes() - self.routes) / events:6.0f} B between servers, "
              f"{events / took:8.0f}/s", flush=True)


def headers(number):
    """As Fanfare's."""
    return {"Nats-Msg-Id": f"asdf-asdf-asdf-{number:010}", "Fanfare-Id": f"asdf-asdf-{number:010}",
            "Fanfare-Action": "push", "Fanfare-Type": "registry_v1",
            "Fanfare-Target-Media-Type": "application/vnd.docker.distribution.manifest.v2%2bjson",
            "Fanfare-Accepted": "1780000000000000", "Fanfare-Source": "http"}


def publish(servers, events, window):
    client = servers.client
    begin = servers.published
    servers.published += events
    for first in range(begin, begin + events, window):
        inbox = client.new_inbox()
        client._send(b"".join(publish_bytes("cost.events.0", PAYLOAD, inbox, headers(n))
                              for n in range(first, first + window)))
        for _ in range(window):
            assert b'"seq"' in client.next_message().data


def pull(servers, name, events, in_flight):
    """Takes all and acknowledges each: in batches, or one at a time if only one may be out."""
    client = servers.client
    client.api(f"CONSUMER.DURABLE.CREATE.cost.{name}", {
        "stream_name": "cost",
        "config": {**CONSUMER, "durable_name": name, "max_ack_pending": in_flight}})
    meter = Meter(servers)
    batch = b'{"batch":%d,"expires":20000000000}' % BATCH
    subject = f"$JS.API.CONSUMER.MSG.NEXT.cost.{name}"
    done = 0
    asked = 0
    while done < events:
        while asked - done < max(BATCH, in_flight):
            client.publish_only(subject, batch, client.new_inbox())
            asked += BATCH
        message = client.next_message(30)
        if message.status is not None:
            raise AssertionError(f"{message.status} {message.headers}")
        client.publish_only(message.reply, b"+ACK")
        done += 1
    meter.print(f"pull, {in_flight} in flight", events)


def measure(folder, replicas, events):
    servers = Servers(folder, replicas)
    try:
        before = sum(server.store_bytes() for server in servers.all)
        meter = Meter(servers)
        publish(servers, events, WINDOW)
        meter.print(f"publish, {WINDOW} in flight", events)
        on_disk = (sum(server.store_bytes() for server in servers.all) - before) / events
        print(f"{replicas} replicas  on disk                {on_disk:7.0f} B, all copies and logs")
        for number in range(2):
            pull(servers, f"free{number}", events, 1000)
        pull(servers, "strict", events // 10, 1)
        servers.reconnect()
        meter = Meter(servers)
        publish(servers, events // 50, 1)
        meter.print("publish, 1 in flight", events // 50)
    finally:
        servers.close()


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    events -= events % WINDOW
    size = len(publish_bytes("cost.events.0", b"", "_INBOX.x", headers(1)))
    print(f"{events} events of {len(PAYLOAD)} B, subject and headers {size} B")
    for replicas in (1, 3):
        with tempfile.TemporaryDirectory(prefix="fanfare-bench-") as folder:
            measure(pathlib.Path(folder), replicas, events)


main()
