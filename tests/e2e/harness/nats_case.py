"""What tests of the queue on NATS have in common."""

import json
import os
import pathlib
import re
import sys

from harness.case import EndToEndCase
from harness.http import fetch
from harness.nats import NatsCluster, NatsServer
from harness.nats_client import NatsError
from harness.wait import wait_until

# The ledger of the crash tests.
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent.parent / "crash"))

STREAM = "fanfare"


def is_long():
    """Whether there is time for the numbers that a release is measured by."""
    return os.environ.get("FANFARE_NATS_LONG", "") not in ("", "0")


def times(short, long):
    return long if is_long() else short


def events_of(*ids, **more):
    """A body of single events, smaller than a registry's."""
    return json.dumps([{"id": str(one), "action": "push", **more} for one in ids]).encode()


def consumer_name(endpoint):
    """Of the endpoint's place, or of its last part."""
    token = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):02X}", endpoint["name"])
    return f"{token}_p15" if "order_by" in endpoint else token


class NatsCase(EndToEndCase):
    """One server, `self.nats`, or with `servers = 3` a cluster, `self.cluster`; and any number of
    replicas, daemons that have their queue there."""

    servers = 1
    has_books = False  # of each replica alone: what one takes in another one delivers

    def setUp(self):
        super().setUp()
        self.network = self.make_network()
        self.start_servers()

    def start_servers(self):
        if self.servers == 1:
            self.nats = NatsServer(self.directory)
            self.addCleanup(self.nats.close)
            self.nats.start()
        else:
            self.cluster = NatsCluster(self.directory, self.network)
            self.addCleanup(self.cluster.close)
            self.cluster.start()

    def make_network(self):
        """None: everything is on loopback."""
        return None

    @property
    def urls(self):
        return [self.nats.url] if self.servers == 1 else self.cluster.urls

    def queue(self, **more):
        return {"storage": "nats", "servers": self.urls, "stream": STREAM,
                "replicas": self.servers, **more}

    def replica(self, endpoints, queue=None, ready=True, **more):
        """`ready`: wait until it takes events, too."""
        more.setdefault("meta", {"enabled": False})
        daemon = self.daemon(endpoints, queue=self.queue(**(queue or {})), ready=ready, **more)
        if ready:
            # Leaders may have to be found first, which takes a cluster some seconds, each time.
            patience = 20 if self.servers == 1 else 60
            wait_until(lambda: daemon.get("/readyz").status == 200, patience,
                       lambda: f"a connection to NATS:\n{daemon.text()}")
            # A place begins behind what is there: nothing may be sent before it is made.
            wanted = {consumer_name(one) for one in endpoints if not one.get("disabled")}
            wait_until(lambda: wanted <= self.consumer_names(), patience,
                       lambda: f"{wanted}: {self.consumer_names()}\n{daemon.text()}")
        return daemon

    def consumer_names(self):
        try:
            return set(self.client_consumers())
        except NatsError:
            return set()  # there is no stream yet

    def client(self):
        client = self.nats.client() if self.servers == 1 else self.cluster.client()
        self.addCleanup(client.close)
        return client

    def post(self, daemon, *ids, status=202, **more):
        answer = daemon.post(events_of(*ids, **more), content_type="application/json")
        self.assertEqual(answer.status, status, answer.body)
        return answer

    def ask(self, daemon, target, method="GET", status=200):
        answer = fetch(daemon.admin, method, target)
        self.assertEqual(answer.status, status, answer.body)
        return json.loads(answer.body)

    def reload(self, daemon, status=200, **changes):
        """These top-level keys become these values."""
        config = json.loads(daemon.config_file.read_text())
        config.update(changes)
        daemon.config_file.write_text(json.dumps(config))
        return self.ask(daemon, "/-/reload", "POST", status)

    def wait_ids(self, receiver, path, ids, seconds=20.0):
        """Until exactly these were taken there, however often and in whatever order."""
        wait_until(lambda: set(receiver.accepted_ids(path)) >= set(ids), seconds,
                   lambda: f"{ids} at {path}: {receiver.accepted_ids(path)}")
        self.assertEqual(sorted(set(receiver.accepted_ids(path))), sorted(set(ids)))

    def wait_metric(self, daemon, name, value, seconds=20.0, **labels):
        wait_until(lambda: daemon.metrics().value(name, **labels) == value, seconds,
                   lambda: f"{name} {value}: {daemon.metrics().value(name, **labels)}")

    def wait_settled(self, daemon, endpoint, seconds=30.0):
        """Until nothing is pending for the endpoint, by the server's own word."""
        def settled():
            found = [info for name, info in self.client_consumers().items()
                     if name == endpoint or name.startswith(f"{endpoint}_p")]
            return found and all(info["num_pending"] + info["num_ack_pending"] == 0
                                 for info in found)
        wait_until(settled, seconds, lambda: f"nothing pending at {endpoint}: "
                   f"{self.client_consumers().get(endpoint)}")
        self.wait_delivered(daemon, endpoint, seconds)

    def client_consumers(self):
        """The endpoints' places by name, without those that only read along."""
        servers = self.nats if self.servers == 1 else self.cluster
        with servers.client() as client:
            return {name: one for name, one in client.consumers(STREAM).items()
                    if "durable_name" in one["config"]}

    def kill(self, daemon):
        daemon.expected_exit = None
        daemon.kill()

    def assert_conserved(self, daemon):
        if self.has_books:
            super().assert_conserved(daemon)

    def fleet_sum(self, daemons, name, endpoint):
        return sum(daemon.metrics().endpoint(name, endpoint) for daemon in daemons)

    def assert_fleet_conserved(self, daemons):
        """Over replicas that have all lived since the first event, once nothing is pending and
        nothing was delivered twice: what one has taken, some have worked off."""
        taken = sum(daemon.metrics().value("fanfare_ingest_events_total") for daemon in daemons)
        for endpoint in daemons[0].metrics().endpoints():
            parts = {name: self.fleet_sum(daemons, name, endpoint)
                     for name in ("ignored_events_total", "dropped_events_total",
                                  "dead_letters_total", "successes_total")}
            more = sum(self.fleet_sum(daemons, name, endpoint)
                       for name in ("replayed_events_total", "meta_events_total"))
            self.assertEqual(sum(parts.values()), taken + more, f"{endpoint}: {parts}")
