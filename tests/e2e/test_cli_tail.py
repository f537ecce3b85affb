"""`fanfare tail` and `fanfare events` with a running daemon."""

import json
import signal
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import envelope, event, numbered
from harness.http import fetch
from harness.process import Process, free_port
from harness.receiver import Answer
from harness.wait import wait_until


class FollowCase(EndToEndCase):
    def start(self, **config):
        self.target = self.receiver()
        self.fanfare = self.daemon([{"name": "audit", "url": self.target.url("/")}], **config)
        self.url = f"http://{self.fanfare.admin}"

    def tail(self, *arguments):
        """Running, and known to the daemon."""
        before = self.streams()
        process = self.process(Process([executable(), "tail", "--url", self.url, *arguments]))
        wait_until(lambda: self.streams() == before + 1)
        return process

    def streams(self):
        return len(self.fanfare.get("/v1/streams").json()["streams"])

    def ids(self, process):
        return [line.split()[-1] for line in process.lines if not line.startswith("fanfare: ")]

    def wait_ids(self, process, expected):
        wait_until(lambda: self.ids(process) == expected, 15,
                   lambda: f"{expected}:\n{process.text()}")

    def post_actions(self, *actions):
        for number, action in enumerate(actions):
            self.fanfare.post(envelope(event(f"{action}{number}", action=action)))


class Tail(FollowCase):
    def test_shows_a_line_per_event_as_it_comes(self):
        self.start()
        process = self.tail()
        self.fanfare.post(numbered(0, 2))
        self.wait_ids(process, ["e0", "e1"])
        self.assertRegex(process.lines[0],
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z +1  push +\S+ +e0$")
        self.assertEqual(process.stop(signal.SIGINT), 0)
        wait_until(lambda: self.streams() == 0)

    def test_columns_stand_below_each_other_for_usual_lengths(self):
        self.start(reload={"watch": False})
        process = self.tail()
        digest = "sha256:" + "0" * 64
        for target in ({"repository": "library/nginx", "tag": "1.25-alpine"},
                       {"repository": "platform/api-gateway", "digest": digest}):
            self.fanfare.post(envelope({**event("e"), "target": target}))
        self.fanfare.send_signal(signal.SIGHUP)
        wait_until(lambda: len(process.lines) == 3, what=process.text)
        self.assertIn("config.reloaded", process.lines[2])
        self.assertEqual(len({line.rindex(" ") for line in process.lines}), 1, process.text())

    def test_begins_with_the_last_so_many_or_behind_a_seq(self):
        self.start()
        self.fanfare.post(numbered(0, 5))
        last, behind, cursor = self.tail("--count", "2"), self.tail("--since", "2"), self.tail(
            "--since", f"{self.fanfare.get('/v1/events').json()['instance']}:4")
        self.fanfare.post(numbered(5, 1))
        self.wait_ids(last, ["e3", "e4", "e5"])
        self.wait_ids(behind, ["e2", "e3", "e4", "e5"])
        self.wait_ids(cursor, ["e4", "e5"])

    def test_filters(self):
        self.start()
        changes = self.tail("--action", "@write")
        pulls = self.tail("--action", "pull,stop")
        nowhere = self.tail("--target", "no/such/repository")
        own = self.tail("--source", "meta")
        self.post_actions("push", "pull", "delete", "stop")
        self.wait_ids(changes, ["push0", "delete2"])
        self.wait_ids(pulls, ["pull1", "stop3"])
        self.assertEqual((nowhere.lines, own.lines), ([], []))

    def test_a_bad_filter_or_cursor_is_refused(self):
        self.start()
        for arguments in (("--action", "@nobody"), ("--since", "nonsense"), ("--since", "99")):
            code, output, errors = self.run_fanfare("tail", "--url", self.url, *arguments)
            self.assertEqual((code, output), (1, ""), arguments)
            self.assertRegex(errors, r"^fanfare: error: .* answered 400 [A-Z_]+: .+\n$")

    def test_json_is_the_frames(self):
        self.start()
        process = self.tail("--json")
        self.fanfare.post(numbered(0, 1))
        wait_until(lambda: len(process.lines) == 2)
        self.assertEqual(process.stop(signal.SIGINT), 0)
        frames = [json.loads(line) for line in process.lines]
        self.assertEqual([frame["type"] for frame in frames], ["hello", "event"])
        self.assertEqual(frames[1]["event"], event("e0"))

    def test_goes_on_after_a_restart_of_the_daemon(self):
        admin = {"listen": f"127.0.0.1:{free_port()}"}
        self.start(admin=admin)
        process = self.tail()
        self.fanfare.post(numbered(0, 3))
        self.wait_ids(process, ["e0", "e1", "e2"])
        self.wait_delivered(self.fanfare, "audit")
        self.assertEqual(self.fanfare.stop(), 0)
        process.wait_for_line(lambda line: "shutting down" in line)
        self.start(admin=admin)
        self.fanfare.post(numbered(3, 2))
        process.wait_for_line(lambda line: line == "fanfare: connected again")
        process.wait_for_line(lambda line: "the daemon has started anew" in line)
        self.fanfare.post(numbered(5, 1))
        self.wait_ids(process, [f"e{i}" for i in range(6)])
        self.assertEqual(process.stop(signal.SIGINT), 0)

    def test_goes_on_after_a_kill_of_the_daemon(self):
        admin = {"listen": f"127.0.0.1:{free_port()}"}
        self.start(admin=admin)
        process = self.tail()
        self.fanfare.post(numbered(0, 1))
        self.wait_ids(process, ["e0"])
        self.fanfare.expected_exit = None
        self.fanfare.kill()
        process.wait_for_line(lambda line: "connection lost, trying again" in line)
        self.start(admin=admin)
        process.wait_for_line(lambda line: line == "fanfare: connected again")
        self.fanfare.post(numbered(1, 1))
        self.wait_ids(process, ["e0", "e1"])

    def test_ended_by_the_daemon(self):
        self.start()
        process = self.tail()
        stream = self.fanfare.get("/v1/streams").json()["streams"][0]
        self.assertEqual(stream["name"], "fanfare-tail")
        self.assertEqual(fetch(self.fanfare.admin, "DELETE", f"/v1/streams/{stream['id']}", b"",
                               ()).status, 204)
        self.assertEqual(process.wait(), 1)
        self.assertIn("kicked", process.lines[-1])

    def test_what_is_switched_off_is_said(self):
        self.start(streams={"max_total": 0})
        code, _, errors = self.run_fanfare("tail", "--url", self.url)
        self.assertEqual(code, 1)
        self.assertIn("404 STREAMS_DISABLED", errors)

    def test_no_event_is_lost_or_doubled_in_a_flood(self):
        self.start()
        process = self.tail()
        for begin in range(0, 3000, 100):
            self.fanfare.post(numbered(begin, 100))
        self.wait_ids(process, [f"e{i}" for i in range(3000)])

    def test_a_pipe_that_closes_early(self):
        self.start()
        self.fanfare.post(numbered(0, 3))
        done = subprocess.run(f"{executable()} tail --count 3 --url {self.url} | head -1; "
                              "echo ${PIPESTATUS[0]}", shell=True, executable="/bin/bash",
                              capture_output=True, timeout=20, check=False)
        lines = done.stdout.decode().splitlines()
        self.assertEqual((len(lines), lines[1], done.stderr), (2, "0", b""))


class Events(FollowCase):
    def events(self, *arguments):
        code, output, errors = self.run_fanfare("events", "--url", self.url, *arguments)
        self.assertEqual((code, errors), (0, ""))
        return output

    def listed(self, *arguments):
        return [line.split()[-1] for line in self.events(*arguments).splitlines()[1:]]

    def refused(self, pattern, *arguments, code=1):
        found, output, errors = self.run_fanfare("events", "--url", self.url, *arguments)
        self.assertEqual((found, output), (code, ""))
        self.assertRegex(errors, rf"^fanfare: error: .*{pattern}.*\n$")

    def test_lists_the_newest_last(self):
        self.start()
        self.assertEqual(self.events().split(), ["SEQ", "RECEIVED", "SOURCE", "ACTION", "TARGET",
                                                 "ID"])
        self.fanfare.post(numbered(0, 5))
        self.assertEqual(self.listed(), [f"e{i}" for i in range(5)])
        self.assertEqual(self.listed("--limit", "2"), ["e3", "e4"])
        self.assertRegex(self.events("--limit", "1").splitlines()[1],
                         r"^5 +\S+Z  http +push +\S+ +e4$")

    def test_filters_look_at_all_that_there_is(self):
        self.start()
        self.post_actions("push", "pull", "pull", "delete", "pull")
        self.assertEqual(self.listed("--action", "@write"), ["push0", "delete3"])
        self.assertEqual(self.listed("--action", "@write", "--limit", "1"), ["delete3"])
        self.assertEqual(self.listed("--action", "push", "--limit", "1"), ["push0"])
        self.assertEqual(self.listed("--target", "no/such"), [])
        self.assertEqual(self.listed("--source", "http", "--limit", "0"),
                         ["push0", "pull1", "pull2", "delete3", "pull4"])
        self.refused("400", "--action", "@nobody")

    def test_is_complete_over_many_pages(self):
        self.start(history={"max_response": 100})
        for begin in range(0, 1000, 250):
            self.fanfare.post(numbered(begin, 250))
        self.assertEqual(self.listed("--limit", "0"), [f"e{i}" for i in range(1000)])
        self.assertEqual(self.listed("--limit", "50"), [f"e{i}" for i in range(950, 1000)])
        self.assertEqual(self.listed("--limit", "300"), [f"e{i}" for i in range(700, 1000)])
        self.assertEqual(self.listed("--action", "push", "--limit", "300"),
                         [f"e{i}" for i in range(700, 1000)])
        answer = json.loads(self.events("--limit", "0", "--json"))
        self.assertEqual([record["seq"] for record in answer["events"]], list(range(1, 1001)))

    def test_json_keeps_every_digit(self):
        self.start()
        text = '{"id":"n","action":"push","big":12345678901234567890123,"x":1.10,"s":"]}\\"{["}'
        self.fanfare.post(text.encode(), "application/json")
        self.fanfare.post(numbered(1, 1))
        self.assertIn(text, self.events("--json"))
        self.assertEqual(len(json.loads(self.events("--json"))["events"]), 2)
        self.assertEqual(self.events("1", "--event"), text + "\n")
        self.assertIn(text, self.events("1"))

    def test_one_event_and_its_fate(self):
        self.target = self.receiver()
        self.target.on("/bad", Answer(500))
        self.fanfare = self.daemon([
            {"name": "good", "url": self.target.url("/good")},
            {"name": "bad", "url": self.target.url("/bad"), "threshold": 2, "backoff": "10s"},
            {"name": "quiet", "url": self.target.url("/"), "ignore": {"actions": ["push"]}}])
        self.url = f"http://{self.fanfare.admin}"
        self.fanfare.post(numbered(0, 1))
        self.wait_delivered(self.fanfare, "good")
        wait_until(lambda: self.fanfare.metrics().endpoint("breaker_open", "bad") == 1)
        rows = [line.split() for line in self.events("1").splitlines()]
        for row in (["seq", "1"], ["source", "http"], ["action", "push"], ["id", "e0"],
                    ["good", "delivered", "-"], ["bad", "pending", "-"], ["quiet", "ignored", "-"]):
            self.assertIn(row, rows)
        attempts = [row for row in rows if row[-1:] == ["500"]]
        self.assertEqual([row[1:3] for row in attempts], [["bad", "1"], ["bad", "2"]])
        answer = json.loads(self.events("1", "--json"))
        self.assertEqual({e["name"]: e["state"] for e in answer["endpoints"]},
                         {"good": "delivered", "bad": "pending", "quiet": "ignored"})

    def test_one_that_was_too_large_for_the_history(self):
        self.start(history={"max_event_bytes": "1KiB"})
        self.fanfare.post(envelope(event("large", padding="x" * 2000)))
        self.assertEqual(self.listed(), ["large"])
        self.assertIn('"truncated":true', self.events("1"))
        self.refused("only a stub", "1", "--event")

    def test_one_that_is_not_there(self):
        self.start()
        self.refused("404 EVENT_UNKNOWN", "7")
        self.refused("is no whole number", "zero", code=2)
        self.refused("--event requires SEQ", "--event", code=2)

    def test_history_that_is_switched_off(self):
        self.start(history={"capacity": 0})
        self.refused("404 HISTORY_DISABLED")
        self.refused("404 HISTORY_DISABLED", "1")
