"""The queue on NATS, seen from outside: deliveries, retries, dead letters, order."""

import collections
import json
import threading
import time

from harness.nats_case import NatsCase, times
from harness.process import free_port
from harness.receiver import Answer
from harness.wait import wait_until


class Chain(NatsCase):
    """From a post to several endpoints."""

    def test_every_endpoint_gets_what_it_wants(self):
        receiver = self.receiver()
        daemon = self.replica([
            {"name": "all", "url": receiver.url("/all")},
            {"name": "pushes", "url": receiver.url("/pushes"), 
             "match": [{"field": "/action", "op": "in", "value": ["push"]}]},
            {"name": "rest", "url": receiver.url("/rest"), "ignore": {"actions": ["push"]}}])
        names = [f"e{number}" for number in range(40)]
        for number, name in enumerate(names):
            self.post(daemon, name, action="pull" if number % 4 == 0 else "push")
        self.wait_ids(receiver, "/all", names)
        self.wait_ids(receiver, "/pushes", [n for i, n in enumerate(names) if i % 4])
        self.wait_ids(receiver, "/rest", names[::4])
        for endpoint in ("all", "pushes", "rest"):
            self.wait_settled(daemon, endpoint)
        metrics = daemon.metrics()
        self.assertEqual([metrics.endpoint("ignored_events_total", name)
                          for name in ("all", "pushes", "rest")], [0, 10, 30])
        self.assert_fleet_conserved([daemon])

    def test_what_one_replica_takes_any_may_deliver_and_each_event_goes_out_once(self):
        receiver = self.receiver()
        endpoint = {"name": "audit", "url": receiver.url("/audit"), "max_in_flight": 8}
        receiver.on("/audit", Answer(200, delay=0.02))
        replicas = [self.replica([endpoint]) for _ in range(3)]
        names = [f"e{number}" for number in range(240)]
        for number, name in enumerate(names):
            self.post(replicas[number % 3], name)
        self.wait_ids(receiver, "/audit", names)
        self.assertEqual(len(receiver.accepted_ids("/audit")), len(names))
        self.wait_settled(replicas[0], "audit")
        self.assert_fleet_conserved(replicas)
        for replica in replicas:
            self.assertGreater(replica.metrics().endpoint("successes_total", "audit"), 0)

    def test_many_events_in_one_request_are_stored_all(self):
        receiver = self.receiver()
        daemon = self.replica([{"name": "audit", "url": receiver.url("/audit"),
                                "max_in_flight": 16}])
        names = [f"e{number}" for number in range(1000)]
        self.post(daemon, *names)
        self.assertEqual(self.client().stream("fanfare")["state"]["last_seq"], 1000)
        self.wait_ids(receiver, "/audit", names, 30)

    def test_payload_and_headers_come_as_they_were_sent(self):
        receiver = self.receiver()
        daemon = self.replica([{"name": "audit", "url": receiver.url("/audit")}])
        payload = b'{"id":"e1", "n":1.10,"t":"\xc3\xa9 \\u00e9", "big":123456789012345678901}'
        answer = daemon.post(b"[" + payload + b"]", "application/json")
        self.assertEqual(answer.status, 202)
        [request] = receiver.wait_for(1, "/audit")
        self.assertIn(payload, request.body)
        [message] = self.client().messages("fanfare")
        self.assertEqual((message.data, message.subject), (payload, "fanfare.events.0"))
        self.assertEqual(message.headers["Fanfare-Id"], "e1")

    def test_the_same_event_again_is_taken_and_delivered_once(self):
        receiver = self.receiver()
        endpoint = {"name": "audit", "url": receiver.url("/audit")}
        first, second = self.replica([endpoint]), self.replica([endpoint])
        self.post(first, "same")
        self.post(second, "same")
        self.post(second, "next")
        self.wait_ids(receiver, "/audit", ["same", "next"])
        self.assertEqual(len(receiver.accepted_ids("/audit")), 2)

    def test_what_waits_is_delivered_after_a_kill_of_the_only_replica(self):
        port = free_port()
        endpoint = {"name": "audit", "url": f"http://127.0.0.1:{port}/audit", "backoff": "100ms"}
        first = self.replica([endpoint])
        names = [f"e{number}" for number in range(50)]
        self.post(first, *names)
        self.kill(first)
        receiver = self.receiver(port=port)
        self.replica([endpoint])
        self.wait_ids(receiver, "/audit", names, 40)


class Retries(NatsCase):
    def test_failed_attempts_are_repeated_and_counted(self):
        receiver = self.receiver()
        receiver.script("/audit", [500, 503, 500])
        daemon = self.replica([{"name": "audit", "url": receiver.url("/audit"),
                                "retry": {"strategy": "exponential", "initial": "50ms",
                                          "jitter": "none"}}])
        self.post(daemon, "e1")
        self.wait_ids(receiver, "/audit", ["e1"])
        attempts = [request.header("fanfare-attempt") for request in receiver.received("/audit")]
        self.assertEqual(attempts, ["1", "2", "3", "4"])
        self.wait_settled(daemon, "audit")
        self.assertEqual(daemon.metrics().endpoint("retries_total", "audit"), 3)

    def test_attempts_are_counted_over_all_replicas(self):
        """A bound on attempts holds for an event, not for a replica."""
        receiver = self.receiver()
        receiver.on("/audit", Answer(500))
        endpoint = {"name": "audit", "url": receiver.url("/audit"),
                    "retry": {"strategy": "exponential", "initial": "20ms", "jitter": "none",
                              "max_attempts": 6}}
        replicas = [self.replica([endpoint]) for _ in range(3)]
        self.post(replicas[0], "e1")
        self.wait_settled(replicas[0], "audit", 40)
        self.assertEqual(receiver.count("/audit"), 6)
        self.assertEqual(self.fleet_sum(replicas, "dead_letters_total", "audit"), 1)

    def test_a_slow_attempt_is_not_given_to_another_replica_meanwhile(self):
        receiver = self.receiver()
        receiver.on("/audit", Answer(200, delay=14))  # longer than ack_wait, 10 s
        endpoint = {"name": "audit", "url": receiver.url("/audit"), "timeout": "30s"}
        replicas = [self.replica([endpoint], shutdown={"drain": "1s"}) for _ in range(2)]
        self.post(replicas[0], "e1")
        receiver.wait_for(1, "/audit")
        self.wait_settled(replicas[0], "audit", 30)
        self.assertEqual(receiver.count("/audit"), 1)


class DeadLetters(NatsCase):
    def start(self, count=1):
        self.target = self.receiver()
        self.target.on("/audit", Answer(422))
        endpoint = {"name": "audit", "url": self.target.url("/audit"),
                    "retry": {"permanent": [422]}}
        return [self.replica([endpoint]) for _ in range(count)]

    def letters(self, daemon):
        return self.ask(daemon, "/v1/dead-letters?limit=1000")["dead_letters"]

    def wait_letters(self, daemon, ids):
        wait_until(lambda: sorted(one["event_id"] for one in self.letters(daemon)) == sorted(ids),
                   20, lambda: f"letters {ids}: {self.letters(daemon)}")

    def test_listed_the_same_by_every_replica(self):
        replicas = self.start(2)
        self.post(replicas[0], "a", "b", "c")
        for replica in replicas:
            self.wait_letters(replica, ["a", "b", "c"])
        letter = self.letters(replicas[1])[0]
        self.assertEqual((letter["endpoint"], letter["reason"]), ("audit", "permanent"))
        shown = self.ask(replicas[0], f"/v1/dead-letters/{letter['id']}")
        self.assertEqual(shown["payload"]["id"], letter["event_id"])
        self.assertEqual(self.client().stream("fanfare_dead")["state"]["messages"], 3)

    def test_replayed_from_any_replica_to_the_endpoint_alone(self):
        replicas = self.start(2)
        self.post(replicas[0], "a", "b")
        self.wait_letters(replicas[1], ["a", "b"])
        self.target.on("/audit", Answer(200))
        done = self.ask(replicas[1], "/v1/dead-letters/replay?endpoint=audit", "POST")
        self.assertEqual(done["replayed"], 2)
        self.wait_ids(self.target, "/audit", ["a", "b"])
        for replica in replicas:
            self.wait_letters(replica, [])
        sources = [one["source"] for one in self.ask(replicas[0], "/v1/events")["events"]]
        self.assertEqual(sources, ["http", "http", "replay", "replay"])

    def test_purged_and_kept_over_restarts(self):
        [first] = self.start()
        self.post(first, "a", "b")
        self.wait_letters(first, ["a", "b"])
        self.assertEqual(first.stop(), 0)
        [second] = self.start()
        self.wait_letters(second, ["a", "b"])
        self.assertEqual(self.ask(second, "/v1/dead-letters", "DELETE")["purged"], 2)
        self.wait_letters(second, [])


class Order(NatsCase):
    def test_strict_order_over_three_replicas_and_a_failing_receiver(self):
        receiver = self.receiver()
        counts = collections.Counter()

        def every_third_fails(request):
            counts["all"] += 1
            return Answer(500 if counts["all"] % 3 == 0 else 200)
        receiver.on("/audit", every_third_fails)
        endpoint = {"name": "audit", "url": receiver.url("/audit"), "max_in_flight": 1,
                    "threshold": 1000}
        replicas = [self.replica([endpoint]) for _ in range(3)]
        names = [f"e{number}" for number in range(times(150, 3000))]
        for number, name in enumerate(names):
            self.post(replicas[number % 3], name)
        self.wait_ids(receiver, "/audit", names, times(60, 600))
        self.assertEqual(receiver.accepted_ids("/audit"), names)

    def test_each_key_has_its_order_and_a_failing_one_holds_up_no_other(self):
        receiver = self.receiver()
        stuck = {"is": True}

        def answer(request):
            event = request.events()[0]
            return Answer(500 if event["key"] == "k0" and stuck["is"] else 200)
        receiver.on("/audit", answer)
        endpoint = {"name": "audit", "url": receiver.url("/audit"), "order_by": "/key", "max_in_flight": 16,
                    "retry": {"strategy": "exponential", "initial": "50ms", "max": "200ms"}}
        replicas = [self.replica([endpoint]) for _ in range(3)]
        keys = [f"k{number}" for number in range(40)]
        sent = collections.defaultdict(list)
        for number in range(400):
            key = keys[number % 40]
            self.post(replicas[number % 3], f"e{number}", key=key)
            sent[key].append(f"e{number}")
        messages = self.client().messages("fanfare")
        partition = {json.loads(m.data)["key"]: m.subject for m in messages}
        self.assertEqual(len(set(partition.values())), 16)
        free = [key for key in keys if partition[key] != partition["k0"]]
        self.wait_ids(receiver, "/audit", [e for key in free for e in sent[key]], 60)
        stuck["is"] = False
        self.wait_ids(receiver, "/audit", [e for key in keys for e in sent[key]], 60)
        came = collections.defaultdict(list)
        for request in receiver.received("/audit"):
            if request.answer.status == 200:
                event = request.events()[0]
                came[event["key"]].append(event["id"])
        self.assertEqual(came, sent)

    def test_few_in_flight_make_no_key_wait(self):
        """As nobody knows which of the partitions have something."""
        receiver = self.receiver()
        daemon = self.replica([{"name": "audit", "url": receiver.url("/audit"),
                                "order_by": "/key", "max_in_flight": 2}])
        names = [f"e{number}" for number in range(20)]
        begun = time.monotonic()
        for name in names:
            self.post(daemon, name, key="same")
        self.wait_ids(receiver, "/audit", names)
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual(receiver.accepted_ids("/audit"), names)

    def test_bounds_hold_for_all_replicas_together(self):
        """By the receiver's own count: the replicas' figures are not read at one moment."""
        receiver = self.receiver()
        lock = threading.Lock()
        under_way, most = [0], [0]

        def pieces():
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.2)  # so long a receiver works on a request
            with lock:
                under_way[0] -= 1
            yield b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        receiver.on("/audit", Answer(how="stream", pieces=pieces))
        endpoint = {"name": "audit", "url": receiver.url("/audit"), "max_in_flight": 2,
                    "timeout": "5s"}
        replicas = [self.replica([endpoint]) for _ in range(3)]
        self.post(replicas[0], *(f"e{number}" for number in range(30)))
        self.wait_settled(replicas[0], "audit")
        self.assertEqual(receiver.count("/audit"), 30)
        self.assertEqual(most[0], 2)


class Refused(NatsCase):
    def test_what_a_shared_queue_cannot_keep_is_refused_by_the_check(self):
        file = self.directory / "refused.yaml"
        endpoint = {"name": "a", "url": "http://127.0.0.1:1/"}
        other = {"name": "b", "url": "http://127.0.0.1:1/"}
        for endpoints, word in (
                ([{**endpoint, "batch": {"max_events": 2}}], "batch"),
                ([{**endpoint, "queue": {"max_events": 5}}], "queue"),
                ([{**endpoint, "order_by": "/a"}, {**other, "order_by": "/b"}], "order_by")):
            file.write_text(json.dumps({"queue": self.queue(), "endpoints": endpoints}))
            code, output, errors = self.run_fanfare("check", "-c", file)
            self.assertNotEqual(code, 0, endpoints)
            self.assertIn(word, output + errors)
