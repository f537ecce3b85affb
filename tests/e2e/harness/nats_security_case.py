"""What tests of NATS servers that do not take everybody have in common."""

import collections

from harness.nats import NatsServer
from harness.nats_case import STREAM, NatsCase, events_of
from harness.wait import wait_until

ATTEMPTS = 5  # that are waited for where all are refused
REPEATED_MAX = 2  # a warning over all of them


class SecurityCase(NatsCase):
    """One server, `self.nats`, that each test starts as it wants it. It is watched by its
    monitoring alone, which asks nobody who he is. `start()` and `start_unready()` make a daemon,
    `self.fanfare`, with an endpoint `audit` at `self.target`."""

    def start_servers(self):
        self.nats = NatsServer(self.directory)
        self.addCleanup(self.nats.close)
        self.target = self.receiver()

    def serve(self, **keys):
        """Begins or goes on with these keys of the server's configuration, and no others."""
        self.nats.stop()
        self.nats.more = keys
        return self.nats.start()

    def client_consumers(self):
        shown = self.nats.monitor("/jsz?consumers=1&config=1")
        streams = [stream for account in shown.get("account_details", ())
                   for stream in account.get("stream_detail", ()) if stream["name"] == STREAM]
        return {one["name"]: one for stream in streams
                for one in stream.get("consumer_detail", ()) if "durable_name" in one["config"]}

    def start(self, ready=True, **queue):
        self.fanfare = self.replica(
            [{"name": "audit", "url": self.target.url("/audit")}], ready=ready,
            queue={"ack_timeout": "1s", **queue}, log={"format": "json", "level": "debug"})
        return self.fanfare

    def start_unready(self, **queue):
        self.start(ready=False, **queue)
        self.fanfare.wait_until_listening()
        return self.fanfare

    # What is said of it.

    def try_post(self, *ids):
        return self.fanfare.post(events_of(*ids), "application/json").status

    def assert_delivers(self, *ids):
        self.post(self.fanfare, *ids)
        wait_until(lambda: set(ids) <= set(self.target.accepted_ids("/audit")), 20,
                   lambda: f"{ids}: {self.target.accepted_ids('/audit')}")

    def wait_ready(self, status=200, seconds=30):
        wait_until(lambda: self.fanfare.get("/readyz").status == status, seconds,
                   lambda: f"{status} of /readyz:\n{self.fanfare.text()}")

    def attempts(self):
        """How often somebody has connected to the server."""
        return self.nats.monitor("/varz")["total_connections"]

    def wait_attempts(self):
        """Some more."""
        wanted = self.attempts() + ATTEMPTS
        wait_until(lambda: self.attempts() >= wanted, 30,
                   lambda: f"{wanted} connections: {self.attempts()}")

    def assert_refused(self):
        """Nothing is taken and nothing is there, after some attempts more."""
        self.assertEqual(self.try_post("refused"), 503)
        self.wait_attempts()
        self.assertEqual(self.fanfare.get("/readyz").status, 503)
        self.assertEqual(self.fanfare.get("/healthz").status, 200)
        self.assertEqual(self.fanfare.metrics().value("fanfare_fleet_connected"), 0)
        self.assertEqual(self.nats.monitor("/jsz")["streams"], 0)
        self.assertEqual(self.fanfare.log_entries(component="nats", msg="connected"), [])

    def assert_told(self, *reasons, server=None, takes_turns=False):
        """The log has said why, one of these words, and of which server; and not each time, unless
        one reason `takes_turns` with another."""
        server = server or self.nats.address
        warnings = [one for one in self.fanfare.log_entries(component="nats", level="warning")
                    if server in one.get("servers", "")]
        self.assertTrue([one for one in warnings for word in reasons
                         if word.lower() in one["error"].lower()], (reasons, warnings))
        counts = collections.Counter(one["error"] for one in warnings)
        if not takes_turns:
            self.assertLessEqual(max(counts.values()), REPEATED_MAX, counts)

    def answers(self):
        """All that the daemon has said so far, by where."""
        found = {path: self.fanfare.get(path).body.decode()
                 for path in ("/metrics", "/v1/config", "/v1/fleet", "/v1/endpoints", "/readyz",
                              "/debug/vars", "/v1/events")}
        found["ingest"] = self.fanfare.post(events_of("more"), "application/json").body.decode()
        return {**found, "the log": self.fanfare.text()}

    def assert_silent(self, *secrets):
        for where, text in self.answers().items():
            for secret in secrets:
                self.assertNotIn(secret, text, where)
