"""Bounds of what may wait: per endpoint, and for the process under too much load."""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from harness.case import EndToEndCase
from harness.events import ids, numbered
from harness.metered import MeteredReceiver
from harness.receiver import Answer
from harness.wait import wait_until

MIB = 1 << 20
FLOOD = pathlib.Path(__file__).resolve().parent / "harness" / "flood.py"


class PerEndpoint(EndToEndCase):
    def start(self, bounds, **config):
        """A dead endpoint with these bounds, and a healthy one."""
        self.target = self.receiver()
        self.target.on("/dead", Answer(503))
        self.fanfare = self.daemon([
            {"name": "dead", "url": self.target.url("/dead"), "threshold": 1, "backoff": "50ms",
             "queue": bounds},
            {"name": "healthy", "url": self.target.url("/healthy")}], **config)

    def post_one_by_one(self, count):
        """The statuses."""
        return [self.fanfare.post(numbered(number, 1)).status for number in range(count)]

    def deliver_the_rest(self):
        self.target.on("/dead", Answer(200))
        self.wait_delivered(self.fanfare, "dead")
        return self.target.accepted_ids("/dead")

    def endpoint(self, name, metric="dropped_events_total", reason="overflow"):
        return self.fanfare.metrics().get(f"fanfare_endpoint_{metric}", endpoint=name,
                                          reason=reason)

    def test_a_dead_endpoint_drops_its_oldest_and_stops_nobody(self):
        self.start({"max_events": 10})
        self.assertEqual(self.post_one_by_one(50), [202] * 50)
        self.wait_delivered(self.fanfare, "healthy")
        self.assertEqual(self.target.accepted_ids("/healthy"), ids(0, 50))
        self.assertEqual(self.fanfare.pending("dead"), 10)
        self.assertEqual(self.endpoint("dead"), 40)
        self.assertEqual(self.endpoint("healthy"), 0)
        delivered = self.deliver_the_rest()
        # One of them was under way when it was its turn.
        self.assertEqual(delivered[-9:], ids(41, 9))
        self.assertEqual(len(delivered), 10)

    def test_half_of_the_process_is_its_share_by_default(self):
        self.start({}, queue={"max_bytes": "64KiB"})
        self.assertEqual(set(self.post_one_by_one(300)), {202})
        self.wait_delivered(self.fanfare, "healthy")
        pending = self.fanfare.metrics().endpoint("pending_bytes", "dead")
        self.assertLessEqual(pending, 32 * 1024)
        self.assertGreater(pending, 31 * 1024)
        settings = self.fanfare.get("/v1/endpoints/dead").json()["settings"]["queue"]
        self.assertEqual(settings, {"max_events": 0, "max_bytes": 32 * 1024,
                                    "overflow": "drop_oldest"})

    def test_drop_newest(self):
        self.start({"max_events": 10, "overflow": "drop_newest"})
        self.assertEqual(self.post_one_by_one(50), [202] * 50)
        self.assertEqual(self.endpoint("dead"), 40)
        self.assertEqual(self.deliver_the_rest(), ids(0, 10))

    def test_dead_letters_are_replayed_when_there_is_room(self):
        self.start({"max_events": 10, "overflow": "dead_letter"},
                   dead_letters={"dir": str(self.directory / "letters")})
        self.assertEqual(self.post_one_by_one(25), [202] * 25)
        self.assertEqual(self.endpoint("dead", "dead_letters_total"), 15)
        wait_until(lambda: self.kept() == 15)
        letters = self.fanfare.get("/v1/dead-letters?reason=overflow").json()["dead_letters"]
        self.assertEqual(len(letters), 15)
        self.replay()
        self.assertEqual(self.endpoint("dead"), 15, "a replay pushes nothing out")
        self.assertEqual(self.kept(), 15)
        self.deliver_the_rest()
        while (before := self.kept()) > 0:
            self.replay()
            self.wait_delivered(self.fanfare, "dead")
            wait_until(lambda: self.kept() < before)
        self.assertEqual(sorted(self.target.accepted_ids("/dead")), sorted(ids(0, 25)))

    def kept(self):
        return self.fanfare.metrics().value("fanfare_dead_letters_kept_events")

    def replay(self):
        code, _, errors = self.run_fanfare("replay", "--all", "--url",
                                           f"http://{self.fanfare.admin}")
        self.assertEqual(code, 0, errors)

    def test_reject_refuses_and_loses_nothing(self):
        self.start({"max_events": 20, "overflow": "reject"})
        statuses = self.post_one_by_one(50)
        self.assertEqual(statuses, [202] * 20 + [503] * 30)
        answer = self.fanfare.post(numbered(99, 1))
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        self.assertEqual(answer.error_codes(), ["QUEUE_FULL"])
        self.assertEqual(answer.json()["errors"][0]["detail"], {"endpoint": "dead"})
        self.assertEqual(self.fanfare.post(numbered(100, 21)).status, 413)
        self.wait_delivered(self.fanfare, "healthy")
        self.assertEqual(self.target.accepted_ids("/healthy"), ids(0, 20))
        self.assertEqual(self.deliver_the_rest(), ids(0, 20))
        self.assertEqual(self.fanfare.metrics().endpoint("dropped_events_total", "dead"), 0)
        self.assertEqual(self.fanfare.post(numbered(20, 1)).status, 202)
        lines = self.fanfare.log_entries(endpoint="dead", msg="an endpoint has room again")
        self.assertEqual([line["requests_refused"] for line in lines], [31])

    def test_at_most_one_line_a_second_tells_of_all_that_was_dropped(self):
        self.start({"max_events": 5})
        begun = time.monotonic()
        self.post_one_by_one(300)
        wait_until(lambda: self.told() == 295)
        lines = self.fanfare.log_entries(endpoint="dead", msg="events dropped")
        self.assertLessEqual(len(lines), 2 + (time.monotonic() - begun))

    def told(self):
        return sum(entry["events"] for entry in self.fanfare.log_entries(
            endpoint="dead", msg="events dropped", reason="overflow"))

    def test_bounds_change_while_it_runs(self):
        self.start({"max_events": 10})
        self.post_one_by_one(20)
        text = self.fanfare.config_file.read_text()
        self.fanfare.config_file.write_text(
            re.sub(r'"max_events": 10', '"max_events": 4, "overflow": "reject"', text))
        code, _, errors = self.run_fanfare("reload", "--url", f"http://{self.fanfare.admin}")
        self.assertEqual(code, 0, errors)
        self.assertEqual(self.fanfare.pending("dead"), 10)
        self.assertEqual(self.fanfare.post(numbered(20, 1)).status, 503)
        self.deliver_the_rest()
        wait_until(lambda: self.fanfare.post(numbered(20, 1)).status == 202)
        self.assertEqual(self.endpoint("dead"), 10)


class Overload(EndToEndCase):
    """Far more events than can be delivered. Two minutes of it: FANFARE_OVERLOAD_SECONDS=120."""

    SECONDS = float(os.environ.get("FANFARE_OVERLOAD_SECONDS", "8"))
    BYTES = 4000
    # As much as can be delivered afterwards in a few seconds, or in half a minute.
    BOUND = (4 if SECONDS < 60 else 32) * MIB

    def setUp(self):
        super().setUp()
        self.target = MeteredReceiver(0.003)
        self.addCleanup(self.target.close)

    def start(self, queue):
        self.fanfare = self.daemon(
            [{"name": "slow", "url": self.target.url, "queue": queue, "format": "event"}],
            queue={"max_bytes": self.BOUND}, shutdown={"drain": "20s"})

    def flood(self, rate, seconds, prefix):
        return subprocess.Popen(
            [sys.executable, FLOOD, self.fanfare.ingest, str(rate), str(seconds), str(self.BYTES),
             prefix], stdout=subprocess.PIPE)

    def peak(self):
        """Events per second where none is refused."""
        flood = self.flood(1000, 0.5, "peak")
        report = json.loads(flood.communicate()[0])
        self.assertEqual(report["refused_ms"], [])
        before, begun = len(self.target.ids), time.monotonic()
        wait_until(lambda: self.fanfare.pending("slow") < 20)
        rate = (len(self.target.ids) - before) / (time.monotonic() - begun)
        self.wait_delivered(self.fanfare, "slow")
        self.accepted = set(report["accepted"])
        return rate

    def resident(self):
        status = pathlib.Path(f"/proc/{self.fanfare.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def test_at_the_bound_of_the_process(self):
        self.start({"max_bytes": 0})
        self.overload()

    def test_at_the_bound_of_an_endpoint(self):
        self.start({"overflow": "reject"})
        self.overload()

    def overload(self):
        peak = self.peak()
        flood = self.flood(7 * peak, self.SECONDS, "over")
        output = []
        reader = threading.Thread(target=lambda: output.append(flood.communicate()[0]))
        reader.start()
        wait_until(lambda: self.fanfare.metrics().sum("fanfare_ingest_requests_total", code="503"))
        before, begun = len(self.target.ids), time.monotonic()
        reader.join(self.SECONDS + 30)
        goodput = (len(self.target.ids) - before) / (time.monotonic() - begun)
        ended = time.monotonic()
        wait_until(lambda: self.fanfare.post(b'{"id":"last"}', "application/json").status == 202)
        recovery = time.monotonic() - ended
        self.wait_delivered(self.fanfare, "slow", 90)

        report = json.loads(output[0])
        offered = (len(report["accepted"]) + len(report["refused_ms"])) / self.SECONDS
        waits = sorted(report["refused_ms"])
        p50, p99 = (waits[int(len(waits) * share)] for share in (0.5, 0.99))
        print(f"peak {peak:.0f}/s, offered {offered:.0f}/s ({offered / peak:.1f} x), goodput "
              f"{goodput:.0f}/s ({goodput / peak:.2f}), {len(waits)} refused in {p50:.2f} ms (p99 "
              f"{p99:.2f}, max {waits[-1]:.2f}), taken again after {recovery:.2f} s, resident at "
              f"most {self.resident() / MIB:.1f} MiB")
        self.assertEqual(report["others"], [])
        self.assertGreaterEqual(offered, 5 * peak)
        self.assertGreaterEqual(goodput, 0.9 * peak)
        self.assertLess(p99, 10)
        self.assertLessEqual(recovery, 5)
        self.assertLessEqual(self.resident(), self.BOUND + 64 * MIB)
        accepted = self.accepted | set(report["accepted"]) | {"last"}
        self.assertEqual(len(self.target.ids), len(accepted), "each once")
        self.assertEqual(set(self.target.ids), accepted)
        self.assertEqual(self.fanfare.metrics().value("fanfare_ingest_events_total"),
                         len(accepted))
