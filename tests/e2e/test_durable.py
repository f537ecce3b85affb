"""The queue on disk: nothing that was answered 202 is lost."""

import json
import os
import shutil
import signal
import time

from harness.case import EndToEndCase
from harness.events import ids, numbered
from harness.process import free_port
from harness.receiver import Answer, HANG
from harness.wait import wait_until


class DurableCase(EndToEndCase):
    def queue(self, **more):
        return {"storage": "disk", "dir": str(self.directory / "queue"), **more}

    def crash(self, daemon):
        """Ends it as a power cut would, but for what the kernel keeps."""
        daemon.expected_exit = None
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait(10)


class Restarts(DurableCase):
    def test_killed_with_a_backlog_it_delivers_all_of_it_in_order(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(503))
        endpoint = {"name": "t1", "url": receiver.url(), "backoff": "100ms"}
        first = self.daemon([endpoint], queue=self.queue())
        for batch in range(10):
            self.assertEqual(first.post(numbered(100 * batch, 100)).status, 202)
        self.crash(first)

        receiver.on("/hook", Answer(200))
        second = self.daemon([endpoint], queue=self.queue())
        self.wait_delivered(second, "t1")

        self.assertEqual(receiver.accepted_ids(), ids(0, 1000))
        self.assertEqual(second.metrics().endpoint("restored_events_total", "t1"), 1000)
        self.assertLess(second.ready_after, 2)

    def test_what_was_delivered_is_not_sent_again(self):
        receiver = self.receiver()
        endpoint = {"name": "t1", "url": receiver.url()}
        first = self.daemon([endpoint], queue=self.queue())
        first.post(numbered(0, 50))
        self.wait_delivered(first, "t1")
        time.sleep(0.3)  # acknowledgements are on the disk within 100 ms
        self.crash(first)

        second = self.daemon([endpoint], queue=self.queue())
        second.post(numbered(50, 1))
        self.wait_delivered(second, "t1")

        self.assertEqual(receiver.accepted_ids(), ids(0, 51))

    def test_numbers_go_on(self):
        first = self.daemon([], queue=self.queue())
        self.assertEqual(json.loads(first.post(numbered(0, 3)).body)["last_seq"], 3)
        self.crash(first)
        second = self.daemon([], queue=self.queue())
        self.assertEqual(json.loads(second.post(numbered(3, 1)).body)["first_seq"], 4)

    def test_sigterm_keeps_what_cannot_be_delivered_and_does_not_wait_for_it(self):
        dead = {"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}
        first = self.daemon([dead], queue=self.queue(), shutdown={"drain": "20s"})
        first.post(numbered(0, 50))
        begun = time.monotonic()
        self.assertEqual(first.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)
        kept = [entry["events"] for entry in first.log() if entry["msg"] == "events kept on disk"]
        self.assertEqual(kept, [50])
        self.assertEqual((self.directory / "queue" / "events.db-wal").stat().st_size, 0)

        receiver = self.receiver()
        second = self.daemon([{"name": "dead", "url": receiver.url()}], queue=self.queue())
        self.wait_delivered(second, "dead")
        self.assertEqual(receiver.accepted_ids(), ids(0, 50))

    def test_sigterm_with_a_hanging_endpoint_ends_within_the_drain_time(self):
        receiver = self.receiver()
        receiver.on("/hook", HANG)
        first = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "60s"}],
                            queue=self.queue(), shutdown={"drain": "1s"})
        first.post(numbered(0, 5))
        wait_until(lambda: first.metrics().endpoint("in_flight_requests", "t1") == 1)
        begun = time.monotonic()
        self.assertEqual(first.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)

        receiver.on("/hook", Answer(200))
        second = self.daemon([{"name": "t1", "url": receiver.url()}], queue=self.queue())
        self.wait_delivered(second, "t1")
        self.assertEqual(receiver.accepted_ids(), ids(0, 5))

    def test_two_endpoints_each_have_their_own_place(self):
        healthy = self.receiver()
        dead = {"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}
        fine = {"name": "fine", "url": healthy.url()}
        first = self.daemon([dead, fine], queue=self.queue())
        first.post(numbered(0, 20))
        self.wait_delivered(first, "fine")
        time.sleep(0.3)
        self.crash(first)

        late = self.receiver()
        second = self.daemon([{"name": "dead", "url": late.url()}, fine], queue=self.queue())
        self.wait_delivered(second, "dead")
        self.assertEqual(late.accepted_ids(), ids(0, 20))
        self.assertEqual(healthy.accepted_ids(), ids(0, 20))


class Configured(DurableCase):
    def test_second_process_is_refused_and_the_first_unharmed(self):
        first = self.daemon([], queue=self.queue())
        second = self.daemon([], queue=self.queue(), ready=False)
        second.expected_exit = None
        self.assertEqual(second.wait(10), 1)
        self.assertIn("in use", second.text())
        self.assertEqual(first.post(numbered(0, 1)).status, 202)

    def test_removed_endpoint_finds_its_backlog_when_it_comes_back(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(503))
        endpoint = {"name": "t1", "url": receiver.url(), "backoff": "100ms"}
        first = self.daemon([endpoint], queue=self.queue())
        first.post(numbered(0, 10))
        first.expected_exit = None
        self.assertEqual(first.stop(), 0)
        without = self.daemon([], queue=self.queue())
        without.post(numbered(10, 5))
        self.assertEqual(without.stop(), 0)
        without.expected_exit = None

        receiver.on("/hook", Answer(200))
        again = self.daemon([endpoint], queue=self.queue())
        self.wait_delivered(again, "t1")
        self.assertEqual(receiver.accepted_ids(), ids(0, 10))

    def test_backlog_of_a_removed_endpoint_goes_when_its_grace_is_over(self):
        dead = {"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}
        first = self.daemon([dead], queue=self.queue())
        first.post(numbered(0, 10))
        self.assertEqual(first.stop(), 0)
        first.expected_exit = None
        without = self.daemon([], queue=self.queue(removed_grace="300ms"))
        wait_until(lambda: [entry for entry in without.log()
                            if "its grace is over" in entry.get("msg", "")])

    def test_dead_letters_are_kept_beside_the_queue(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(400))
        endpoint = {"name": "t1", "url": receiver.url(), "retry": {"strategy": "exponential"}}
        first = self.daemon([endpoint], queue=self.queue())
        first.post(numbered(0, 5))
        self.wait_delivered(first, "t1")
        wait_until(lambda: first.metrics().value("fanfare_dead_letters_kept_events") == 5)
        self.assertEqual(first.stop(), 0)
        first.expected_exit = None

        receiver.on("/hook", Answer(200))
        second = self.daemon([endpoint], queue=self.queue())
        code, _, error = self.run_fanfare("replay", "--all", "--url", f"http://{second.admin}")
        self.assertEqual(code, 0, error)
        wait_until(lambda: len(receiver.accepted_ids()) == 5)
        wait_until(lambda: second.metrics().value("fanfare_dead_letters_kept_events") == 0)

    def test_full_store_answers_503_delivers_and_takes_events_again(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(503))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "backoff": "100ms"}],
                             queue=self.queue(max_disk="64MiB"))
        big = json.dumps({"events": [{"id": "big", "data": "x" * 3_000_000}]}).encode()
        taken = 0
        for _ in range(60):
            response = daemon.post(big)
            if response.status != 202:
                break
            taken += 1
        self.assertEqual(response.status, 503)
        self.assertEqual(response.header("Retry-After"), "1")
        self.assertEqual(json.loads(response.body)["errors"][0]["code"], "STORE_FULL")
        self.assertEqual(daemon.get("/readyz").status, 503)
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_store_full"), 1)
        left = shutil.disk_usage(self.directory).free
        self.assertAlmostEqual(metrics.value("fanfare_store_disk_available_bytes"), left,
                               delta=max(left / 10, 1 << 30))

        receiver.on("/hook", Answer(200))
        self.wait_delivered(daemon, "t1", 60)
        begun = time.monotonic()
        wait_until(lambda: daemon.post(numbered(0, 1)).status == 202)
        self.assertLess(time.monotonic() - begun, 2)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(len(receiver.accepted_ids()), taken + 1)
        self.assertEqual(daemon.get("/readyz").status, 200)
