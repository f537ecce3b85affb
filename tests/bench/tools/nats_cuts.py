#!/usr/bin/env python3
"""What becomes of a stream with three copies when one server after another is cut off for a while,
with nothing of Fanfare's involved. What lib/doc/shared.md says of servers that lose something.

    tests/bench/tools/nats_cuts.py [ROUNDS]    # 5, of three cuts each; needs root and nats-server
"""

import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "e2e"))

from harness.nats import GONE, NatsCluster  # noqa: E402
from harness.nats_copies import copy_of, differences  # noqa: E402
from harness.network import Network  # noqa: E402
from harness.wait import wait_until  # noqa: E402

STREAM = "cuts"
PUBLISHERS = 3


class Publisher:
    """Publishes one event after the other through a server, or the next one if that is silent;
    each again, with its id, until it is acknowledged."""

    def __init__(self, number, nodes):
        self._number, self._nodes = number, nodes
        self.acknowledged = set()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._is_open = False
        self._thread.join(30)

    def _run(self):
        turn, count = self._number, 0
        while self._is_open:
            try:
                with self._nodes[turn % len(self._nodes)].client(2) as client:
                    while self._is_open:
                        name = f"p{self._number}-{count}"
                        client.publish(f"{STREAM}.events.0", b"{}", {"Nats-Msg-Id": name})
                        self.acknowledged.add(name)
                        count += 1
                        time.sleep(0.03)
            except GONE:
                turn += 1


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    network = Network(3)
    with tempfile.TemporaryDirectory() as folder:
        cluster = NatsCluster(pathlib.Path(folder), network)
        publishers = []
        try:
            cluster.start()
            with cluster.client() as client:
                client.api(f"STREAM.CREATE.{STREAM}", {
                    "name": STREAM, "subjects": [f"{STREAM}.events.*"], "retention": "limits",
                    "discard": "new", "storage": "file", "num_replicas": 3,
                    "duplicate_window": 120_000_000_000})
            publishers = [Publisher(i, cluster.nodes) for i in range(PUBLISHERS)]
            cuts, seen = 0, 0
            for _ in range(rounds):
                for node, place in zip(cluster.nodes, network.nodes):
                    cut_off(cluster, network, node, place, publishers)
                    cuts += 1
                    numbers = differences(cluster.nodes, STREAM)
                    print(f"cut {cuts}, {node.name}: {len(numbers) - seen} more numbers differ",
                          flush=True)
                    seen = len(numbers)
            for publisher in publishers:
                publisher.close()
            report(cluster, publishers)
        finally:
            for publisher in publishers:
                publisher.close()
            cluster.close()
            network.close()


def cut_off(cluster, network, node, place, publishers):
    def count():
        return sum(len(one.acknowledged) for one in publishers)
    network.cut_off(place)
    wait_until(lambda: cluster.stream_leader(STREAM, [node]) not in (None, node), 90, "a leader")
    before = count()
    wait_until(lambda: count() >= before + 60, 60, "acknowledgements")
    network.heal(place)
    cluster.wait_healthy(90)
    cluster.wait_current(STREAM)
    before = count()
    wait_until(lambda: count() >= before + 60, 60, "acknowledgements")


def report(cluster, publishers):
    acknowledged = set.union(*(one.acknowledged for one in publishers))
    cluster.wait_current(STREAM)
    time.sleep(2)  # they write behind what they say; a copy that is shifted ends before the others
    copies = [{name for _, name in copy_of(node, STREAM).values()} for node in cluster.nodes]
    nowhere = acknowledged - set.union(*copies)
    somewhere = acknowledged - set.intersection(*copies) - nowhere
    print(f"{len(acknowledged)} acknowledged; {len(nowhere)} of them in no copy, {len(somewhere)} "
          f"not in all: {sorted(somewhere)[:10]}")


if __name__ == "__main__":
    main()
