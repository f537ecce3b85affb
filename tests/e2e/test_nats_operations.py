"""The queue on NATS: history, streams, metrics, and what replicas share besides events."""

import pathlib

from harness.nats_case import NatsCase
from harness.receiver import Answer
from harness.stream import Stream
from harness.wait import stays_true, wait_until


class History(NatsCase):
    def start(self, count=2, **config):
        self.target = self.receiver()
        endpoint = {"name": "audit", "url": self.target.url("/audit")}
        return [self.replica([endpoint], **config) for _ in range(count)]

    def records(self, daemon, query=""):
        body = self.ask(daemon, f"/v1/events{query}")
        return [(record["seq"], record["event"]["id"]) for record in body["events"]]

    def wait_records(self, daemon, expected, query=""):
        wait_until(lambda: self.records(daemon, query) == expected, 20,
                   lambda: f"{expected}: {self.records(daemon, query)}")

    def test_numbers_mean_the_same_to_every_replica(self):
        replicas = self.start(3)
        expected = [(number + 1, f"e{number}") for number in range(30)]
        for number in range(30):
            self.post(replicas[number % 3], f"e{number}")
        for replica in replicas:
            self.wait_records(replica, expected)
        instances = {self.ask(replica, "/v1/events")["instance"] for replica in replicas}
        self.assertEqual(len(instances), 1)

    def test_is_read_again_by_one_that_starts_later(self):
        [first] = self.start(1)
        self.post(first, *(f"e{number}" for number in range(10)))
        self.wait_ids(self.target, "/audit", [f"e{number}" for number in range(10)])
        self.assertEqual(first.stop(), 0)
        [late] = self.start(1)
        self.wait_records(late, [(number + 1, f"e{number}") for number in range(10)])
        self.post(late, "e10")
        self.wait_records(late, [(11, "e10")], "?start=11")

    def test_what_is_done_with_and_beyond_the_capacity_is_purged(self):
        replicas = self.start(2, history={"capacity": 10})
        self.post(replicas[0], *(f"e{number}" for number in range(50)))
        self.wait_settled(replicas[0], "audit")
        client = self.client()
        wait_until(lambda: client.stream("fanfare")["state"]["first_seq"] == 41, 40,
                   lambda: f"a purge up to 40: {client.stream('fanfare')['state']}")
        self.assertTrue(stays_true(
            lambda: client.stream("fanfare")["state"]["first_seq"] == 41, 3))
        self.assertEqual([seq for seq, _ in self.records(replicas[1])], list(range(41, 51)))

    def test_what_one_endpoint_has_not_got_is_never_purged(self):
        target = self.receiver()
        target.on("/slow", Answer(500))
        endpoints = [{"name": "audit", "url": target.url("/audit")},
                     {"name": "slow", "url": target.url("/slow"), "backoff": "200ms"}]
        daemon = self.replica(endpoints, history={"capacity": 5})
        names = [f"e{number}" for number in range(40)]
        self.post(daemon, *names)
        self.wait_settled(daemon, "audit")
        client = self.client()
        self.assertTrue(stays_true(
            lambda: client.stream("fanfare")["state"]["first_seq"] == 1, 15))
        target.on("/slow", Answer(200))
        self.wait_ids(target, "/slow", names, 40)
        wait_until(lambda: client.stream("fanfare")["state"]["first_seq"] == 36, 40)

    def test_a_stream_goes_on_at_another_replica_where_it_was(self):
        replicas = self.start(2)
        first = Stream(replicas[0].admin, "count=0")
        self.addCleanup(first.close)
        first.wait_frame("hello")
        self.post(replicas[1], "a", "b", "c")
        first.wait_seqs([1, 2, 3])
        instance = first.of_type("hello")[0]["instance"]
        self.kill(replicas[0])
        self.post(replicas[1], "d")
        second = Stream(replicas[1].admin, f"since={instance}:3")
        self.addCleanup(second.close)
        second.wait_seqs([4])
        self.assertEqual(second.of_type("gap"), [])

    def test_a_cursor_lives_on_when_all_replicas_have_been_gone(self):
        replicas = self.start(1)
        self.post(replicas[0], "a", "b")
        stream = Stream(replicas[0].admin, "count=2")
        self.addCleanup(stream.close)
        stream.wait_seqs([1, 2])
        cursor = f"{stream.of_type('hello')[0]['instance']}:1"
        self.wait_ids(self.target, "/audit", ["a", "b"])
        self.assertEqual(replicas[0].stop(), 0)
        [again] = self.start(1)
        self.wait_records(again, [(1, "a"), (2, "b")])
        stream = Stream(again.admin, f"since={cursor}")
        self.addCleanup(stream.close)
        stream.wait_seqs([2])
        self.assertEqual(stream.of_type("gap"), [])


class Shared(NatsCase):
    """What one replica knows, and all keep to."""

    def start(self, count=3, **endpoint):
        self.target = self.receiver()
        self.endpoint = {"name": "audit", "url": self.target.url("/audit"), **endpoint}
        return [self.replica([self.endpoint]) for _ in range(count)]

    def test_a_pause_holds_on_all_replicas_until_any_resumes(self):
        replicas = self.start()
        self.ask(replicas[0], "/v1/endpoints/audit/pause", "POST")
        for replica in replicas:
            self.wait_metric(replica, "fanfare_endpoint_paused", 1, endpoint="audit")
        for number, replica in enumerate(replicas):
            self.post(replica, f"e{number}")
        self.assertTrue(stays_true(lambda: self.target.count("/audit") == 0, 1.5))
        late = self.replica([self.endpoint])
        self.wait_metric(late, "fanfare_endpoint_paused", 1, endpoint="audit")
        self.assertEqual(self.target.count("/audit"), 0)
        self.ask(replicas[2], "/v1/endpoints/audit/resume", "POST")
        self.wait_ids(self.target, "/audit", ["e0", "e1", "e2"])

    def test_a_breaker_that_is_open_lets_one_probe_through_for_all(self):
        replicas = self.start(3, max_in_flight=6, threshold=3, backoff="1s")
        self.target.on("/audit", Answer(503))
        for number in range(12):
            self.post(replicas[number % 3], f"e{number}")
        # The first one that finds out holds back the others, whose breakers may never open.
        wait_until(lambda: self.fleet_sum(replicas, "breaker_open", "audit") > 0 and
                   self.fleet_sum(replicas, "in_flight_requests", "audit") == 0, 20,
                   "an open breaker, and nothing under way")
        before = self.target.count("/audit")
        self.assertTrue(stays_true(
            lambda: self.target.count("/audit") <= before + 6, 4.0),
            f"{self.target.count('/audit') - before} attempts in 4 s with a backoff of 1 s")
        self.target.on("/audit", Answer(200))
        self.wait_ids(self.target, "/audit", [f"e{number}" for number in range(12)], 40)
        for replica in replicas:
            self.wait_metric(replica, "fanfare_endpoint_breaker_open", 0, endpoint="audit")

    def test_replicas_know_of_each_other(self):
        replicas = self.start(3)
        for replica in replicas:
            self.wait_metric(replica, "fanfare_fleet_replicas", 3)
        self.assertEqual(replicas[0].stop(), 0)
        self.wait_metric(replicas[1], "fanfare_fleet_replicas", 2, 10)
        self.kill(replicas[1])
        self.wait_metric(replicas[2], "fanfare_fleet_replicas", 1, 60)

    def test_a_configuration_unlike_the_others_is_shown_by_all(self):
        replicas = self.start(2)
        other = self.replica([{**self.endpoint, "timeout": "7s"}])
        for replica in (*replicas, other):
            self.wait_metric(replica, "fanfare_fleet_config_mismatch", 1)
        [mismatch] = self.ask(other, "/v1/fleet")["mismatches"]
        self.assertEqual(mismatch["endpoint"], "audit")
        wait_until(lambda: len(self.ask(other, "/v1/fleet")["mismatches"][0]
                               ["configured_differently"]) == 2)
        self.reload(other, endpoints=[self.endpoint])
        for replica in (*replicas, other):
            self.wait_metric(replica, "fanfare_fleet_config_mismatch", 0)

    def test_settings_of_the_queue_unlike_the_others_are_shown_by_all(self):
        [one] = self.start(1)
        other = self.replica([self.endpoint], queue={"max_age": "1h"})
        for replica, theirs in ((one, "1h"), (other, "0s")):
            self.wait_metric(replica, "fanfare_fleet_config_mismatch", 1)
            fleet = self.ask(replica, "/v1/fleet")
            [mismatch] = fleet["mismatches"]
            self.assertEqual(mismatch["queue"], ["queue.max_age"])
            self.assertNotIn("endpoint", mismatch)
            [of_other] = [each for each in fleet["replicas"] if not each["is_self"]]
            self.assertEqual(mismatch["configured_differently"], [of_other["id"]])
            self.assertEqual(of_other["queue"]["queue.max_age"], theirs)
        wait_until(lambda: "max_age: none -> 1h" in other.text())

    def test_names_with_dots_and_underscores_have_a_place(self):
        self.target = self.receiver()
        endpoint = {"name": "path.of_a-name", "url": self.target.url("/audit")}
        daemon = self.replica([endpoint])
        self.post(daemon, "a")
        self.wait_ids(self.target, "/audit", ["a"])
        self.assertIn("path_2Eof_5Fa-name", self.client_consumers())


class Removed(NatsCase):
    """What becomes of the place of an endpoint that is not configured any more."""

    def test_a_removed_endpoint_keeps_its_place_for_a_while(self):
        target = self.receiver()
        target.on("/gone", Answer(500))
        kept = {"name": "kept", "url": target.url("/kept")}
        gone = {"name": "gone", "url": target.url("/gone"), "backoff": "100ms"}
        daemon = self.replica([kept, gone], queue={"removed_grace": "1h"},
                              shutdown={"drain": "300ms"})
        self.post(daemon, "a", "b")
        self.wait_ids(target, "/kept", ["a", "b"])
        self.assertEqual(daemon.stop(), 0)
        second = self.replica([kept], queue={"removed_grace": "1h"})
        self.post(second, "c")
        self.wait_ids(target, "/kept", ["a", "b", "c"])
        self.assertIn("gone", self.client_consumers())
        self.assertEqual(second.stop(), 0)
        target.on("/gone", Answer(200))
        self.replica([kept, gone])
        self.wait_ids(target, "/gone", ["a", "b", "c"])

    def test_a_removed_endpoint_loses_its_place_when_its_time_is_over(self):
        target = self.receiver()
        kept = {"name": "kept", "url": target.url("/kept")}
        gone = {"name": "gone", "url": target.url("/gone")}
        daemon = self.replica([kept, gone])
        self.assertEqual(daemon.stop(), 0)
        self.assertIn("gone", self.client_consumers())
        self.replica([kept], queue={"removed_grace": "2s"})
        wait_until(lambda: set(self.client_consumers()) == {"kept"}, 240,
                   lambda: f"only kept: {set(self.client_consumers())}")


class Figures(NatsCase):
    def test_metrics_tell_of_the_log_and_of_the_backlog_of_all(self):
        target = self.receiver()
        target.on("/audit", Answer(503))
        # With several attempts at once, an event that is to be tried later goes back to the log.
        endpoint = {"name": "audit", "url": target.url("/audit"), "backoff": "200ms",
                    "max_in_flight": 8}
        replicas = [self.replica([endpoint]) for _ in range(2)]
        self.post(replicas[0], *(f"e{number}" for number in range(7)))
        for replica in replicas:
            self.wait_metric(replica, "fanfare_endpoint_pending_events", 7, endpoint="audit")
            self.assertEqual(replica.metrics().value("fanfare_fleet_connected"), 1)
        wait_until(lambda: replicas[0].metrics().value(
            "fanfare_endpoint_oldest_pending_seconds", endpoint="audit") > 0.5)
        wait_until(lambda: any(replica.metrics().value(
            "fanfare_endpoint_redelivered_events", endpoint="audit") > 0
            for replica in replicas), 30)
        self.assertEqual(replicas[0].metrics().value(
            "fanfare_fleet_publish_duration_seconds_count"), 7)
        self.assertEqual(replicas[1].metrics().value(
            "fanfare_fleet_publish_duration_seconds_count"), 0)

    def test_consumers_are_as_the_configuration_says(self):
        target = self.receiver()
        daemon = self.replica([
            {"name": "strict", "url": target.url("/a"), "max_in_flight": 1},
            {"name": "free", "url": target.url("/b"), "max_in_flight": 32}])
        consumers = self.client_consumers()
        self.assertEqual({name: one["config"]["max_ack_pending"]
                          for name, one in consumers.items()}, {"strict": 1, "free": 32})
        for one in consumers.values():
            self.assertEqual((one["config"]["ack_policy"], one["config"]["durable_name"]),
                             ("explicit", one["name"]))
        self.reload(daemon, endpoints=[
            {"name": "strict", "url": target.url("/a"), "max_in_flight": 4}])
        wait_until(lambda: self.client_consumers()["strict"]["config"]["max_ack_pending"] == 4)

    def test_an_order_of_another_kind_takes_a_restart_and_loses_nothing(self):
        target = self.receiver()
        target.on("/audit", Answer(503))
        before = {"name": "audit", "url": target.url("/audit"), "max_in_flight": 4}
        after = {**before, "order_by": "/key"}
        daemon = self.replica([before])
        self.post(daemon, "a", "b", "c")
        target.wait_for(1)
        self.reload(daemon, status=400, endpoints=[after])
        self.assertEqual(daemon.stop(), 0)
        target.on("/audit", Answer(200))
        self.replica([after])
        self.wait_ids(target, "/audit", ["a", "b", "c"])
        wait_until(lambda: len(self.client_consumers()) == 16)

    def test_no_secret_is_on_the_board(self):
        target = self.receiver()
        self.replica([{"name": "audit", "url": target.url("/audit"),
                       "headers": {"Authorization": ["Bearer hush-hush"]}}])
        client = self.client()
        board = wait_until(lambda: client.key_values("fanfare_board"), 20, "something there")
        self.assertNotIn("hush", str(board))
        self.assertFalse(any(b"hush-hush" in file.read_bytes() for file in
                             pathlib.Path(self.nats.store).rglob("*") if file.is_file()))
