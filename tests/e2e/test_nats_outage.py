"""The queue on NATS while there is no NATS, or no room in it."""

import pathlib

from harness.nats import NatsServer
from harness.nats_case import NatsCase, events_of
from harness.receiver import Answer
from harness.wait import stays_true, wait_until


class OutageCase(NatsCase):
    def start(self, queue=None, **more):
        self.target = self.receiver()
        self.fanfare = self.replica([{"name": "audit", "url": self.target.url("/audit")}],
                                    queue={"ack_timeout": "1s", **(queue or {})}, **more)
        return self.fanfare

    def start_unready(self):
        """Listens, and will not say that it is ready."""
        self.start(ready=False)
        self.fanfare.wait_until_listening()

    def try_post(self, *ids):
        return self.fanfare.post(events_of(*ids), "application/json").status

    def ready(self):
        return self.fanfare.get("/readyz").status

    def wait_ready(self, status, seconds=30):
        wait_until(lambda: self.ready() == status, seconds, lambda: f"{status} of /readyz")

    def status(self):
        code, output, errors = self.run_fanfare("status", "--url", f"http://{self.fanfare.admin}")
        self.assertEqual(code, 0, errors)
        return output

    def threads(self):
        return len(list(pathlib.Path(f"/proc/{self.fanfare.pid}/task").iterdir()))


class Gone(OutageCase):
    """No server at the start, or none any more."""

    def test_at_the_start(self):
        self.nats.stop()
        self.start_unready()
        self.assertEqual(self.ready(), 503)
        self.assertEqual(self.fanfare.get("/healthz").status, 200)
        answer = self.fanfare.post(events_of("lost"), "application/json")
        self.assertEqual(answer.status, 503)
        self.assertIsNotNone(answer.header("Retry-After"))
        self.assertEqual(self.fanfare.metrics().value("fanfare_fleet_connected"), 0)
        self.assertIn("No server of the shared queue", self.status())

        self.nats.start()
        self.wait_ready(200)
        self.post(self.fanfare, "first")
        wait_until(lambda: "first" in self.target.accepted_ids("/audit"), 20)
        self.assertEqual(self.fanfare.metrics().value("fanfare_fleet_connected"), 1)
        self.assertNotIn("No server", self.status())
        self.assertEqual(self.fanfare.stop(), 0)

    def test_in_mid_run_and_again(self):
        self.start()
        self.post(self.fanfare, "before")
        self.wait_ids(self.target, "/audit", ["before"])
        taken = ["before"]
        steady = None
        for number in range(4):
            end = self.nats.kill if number % 2 else self.nats.stop
            end()
            wait_until(lambda: self.try_post("lost") == 503, 10, "503")
            self.wait_ready(503)
            self.wait_metric(self.fanfare, "fanfare_fleet_connected", 0)
            self.nats.start()
            self.wait_ready(200)
            self.post(self.fanfare, f"after{number}")
            taken.append(f"after{number}")
            wait_until(lambda: set(taken) <= set(self.target.accepted_ids("/audit")), 40,
                       lambda: f"{taken}: {self.target.accepted_ids('/audit')}")
            figures = (self.fanfare.descriptors(), self.threads())
            steady = steady or figures
            self.assertLessEqual(figures[0], steady[0] + 2)
            self.assertLessEqual(figures[1], steady[1])
        self.assertEqual(self.fanfare.metrics().endpoint("dropped_events_total", "audit"), 0)

    def test_what_is_under_way_is_not_lost_when_it_goes(self):
        self.start()
        self.target.on("/audit", Answer(200, delay=1.0))
        self.post(self.fanfare, "a", "b")
        self.target.wait_for(1, "/audit")
        self.nats.kill()
        self.wait_metric(self.fanfare, "fanfare_fleet_connected", 0)
        self.target.on("/audit", Answer(200))
        self.nats.start()
        self.wait_ids(self.target, "/audit", ["a", "b"], 60)

    def test_ready_without_a_connection_if_the_configuration_says_so(self):
        self.start(queue={"ready_when_disconnected": True})
        self.nats.stop()
        self.wait_metric(self.fanfare, "fanfare_fleet_connected", 0)
        self.assertTrue(stays_true(lambda: self.ready() == 200, 1.0))
        self.assertEqual(self.try_post("lost"), 503)

    def test_stops_in_time_without_a_connection(self):
        self.start()
        self.target.on("/audit", Answer(500))
        self.post(self.fanfare, "a")
        self.nats.kill()
        self.wait_metric(self.fanfare, "fanfare_fleet_connected", 0)
        self.assertEqual(self.fanfare.stop(seconds=10), 0)

    def test_goes_on_with_a_server_that_has_forgotten_everything(self):
        self.start()
        self.post(self.fanfare, "a")
        self.wait_ids(self.target, "/audit", ["a"])
        self.nats.stop()
        self.nats.forget()
        self.nats.start()
        wait_until(lambda: self.try_post("b") == 202, 60, "202 again")
        wait_until(lambda: "b" in self.target.accepted_ids("/audit"), 40, "b")


class Full(OutageCase):
    """No room in the stream, and events that are too large for it."""

    def test_no_room_is_503_until_there_is_some(self):
        self.start(queue={"max_bytes": "1MiB"}, history={"capacity": 1})
        self.ask(self.fanfare, "/v1/endpoints/audit/pause", "POST")
        taken = []
        filler = "x" * 60_000

        def is_full():
            name = f"e{len(taken)}"
            answer = self.fanfare.post(events_of(name, filler=filler), "application/json")
            if answer.status == 202:
                taken.append(name)
            return answer.status == 503
        wait_until(is_full, 20, "503")
        self.assertGreater(len(taken), 8)
        self.ask(self.fanfare, "/v1/endpoints/audit/resume", "POST")
        self.wait_ids(self.target, "/audit", taken)
        wait_until(lambda: self.try_post("again") == 202, 60, "room again")
        wait_until(lambda: "again" in self.target.accepted_ids("/audit"), 20)

    def test_a_server_with_less_room_than_the_stream_asks_for(self):
        self.nats.stop()
        self.nats.store_bytes_max = 1 << 30
        self.nats.start()
        self.start_unready()
        wait_until(lambda: self.fanfare.log_entries(
            msg="cannot make or change the stream, will retry", max_bytes=10 << 30,
            error="insufficient storage resources available"), 20, "a reason")
        self.assertEqual((self.try_post("a"), self.ready()), (503, 503))

        self.nats.stop()
        self.nats.store_bytes_max = 1 << 36
        self.nats.start()
        self.wait_ready(200)
        self.assertEqual(self.try_post("a"), 202)

    def test_what_is_larger_than_the_server_takes_is_413(self):
        self.nats.stop()
        self.nats.more["max_payload"] = 64 * 1024
        self.nats.start()
        self.start()
        answer = self.fanfare.post(events_of("large", filler="x" * 100_000), "application/json")
        self.assertEqual(answer.status, 413, answer.body)
        self.post(self.fanfare, "small")
        self.wait_ids(self.target, "/audit", ["small"])

    def test_a_server_without_jetstream_is_like_none(self):
        plain = NatsServer(self.directory, "plain")
        self.addCleanup(plain.close)
        self.nats.stop()
        plain.port = self.nats.port
        plain.start(jetstream=False)
        self.start_unready()
        self.assertEqual((self.try_post("a"), self.ready()), (503, 503))
        plain.kill()
        self.nats.start()
        self.wait_ready(200)
