"""`fanfare endpoints`, and how commands show how far they are."""

import json
import re

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import numbered
from harness.receiver import Answer
from harness.terminal import Terminal
from harness.wait import wait_until


class Endpoints(EndToEndCase):
    def start(self, endpoints=None):
        self.target = self.receiver()
        self.target.on("/bad", Answer(503))
        if endpoints is None:
            endpoints = [
                {"name": "audit", "url": self.target.url("/audit?source=registry"),
                 "timeout": "3s", "headers": {"X-Team": ["storage"]},
                 "ignore": {"actions": ["pull", "mount"]}},
                {"name": "bad", "url": self.target.url("/bad"), "threshold": 2, "backoff": "10s",
                 "format": "event"},
                {"name": "off", "url": self.target.url("/off"), "disabled": True}]
        self.fanfare = self.daemon(endpoints)

    def endpoints(self, *arguments):
        code, output, errors = self.run_fanfare(
            "endpoints", "--url", f"http://{self.fanfare.admin}", *arguments)
        self.assertEqual((code, errors), (0, ""))
        return output

    def rows(self, *arguments):
        return [re.split(r"  +", line) for line in self.endpoints(*arguments).splitlines()]

    def test_list(self):
        self.start()
        rows = self.rows()
        self.assertEqual([row[0] for row in rows], ["NAME", "audit", "bad", "off"])
        self.assertEqual(rows[1][1:4], ["up", "3.0s", "1"])
        self.assertIn("breaker", rows[1])
        self.assertTrue(rows[1][-1].startswith(self.target.url("/audit")), rows[1])
        self.assertIn("event", rows[2])
        self.assertEqual(rows[3][1], "disabled")

    def test_list_without_any(self):
        self.start([])
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(json.loads(self.endpoints("--json"))["endpoints"], [])

    def test_one(self):
        self.start()
        self.fanfare.post(numbered(0, 2))
        self.wait_delivered(self.fanfare, "audit")
        facts = dict(row[:2] for row in self.rows("audit"))
        for name, value in {"name": "audit", "state": "up", "counters.successes": "2",
                            "settings.timeout_seconds": "3.0", "last_error": "-",
                            "settings.ignore.actions": "pull, mount",
                            "settings.headers.X-Team": "<redacted>",
                            "settings.retry.strategy": "breaker"}.items():
            self.assertEqual(facts[name], value, name)
        self.assertEqual(json.loads(self.endpoints("audit", "--json"))["name"], "audit")

    def test_its_attempts(self):
        self.start()
        self.fanfare.post(numbered(0, 1))
        wait_until(lambda: self.fanfare.metrics().endpoint("breaker_open", "bad") == 1)
        rows = self.rows("bad", "--attempts", "1")
        self.assertEqual(len(rows), 2)
        self.assertEqual((rows[1][1:3], rows[1][-1]), (["e0", "2"], "503"))
        attempts = json.loads(self.endpoints("bad", "--attempts", "5", "--json"))["attempts"]
        self.assertEqual([attempt["attempt"] for attempt in attempts], [2, 1])

    def test_unknown_one_and_wrong_usage(self):
        self.start()
        url = f"http://{self.fanfare.admin}"
        code, output, errors = self.run_fanfare("endpoints", "nobody", "--url", url)
        self.assertEqual((code, output), (1, ""))
        self.assertIn("404 NAME_UNKNOWN", errors)
        for arguments in (("--attempts", "3"), ("audit", "--attempts", "0"), ("audit", "bad")):
            self.assertEqual(self.run_fanfare("endpoints", *arguments)[0], 2, arguments)


class Progress(EndToEndCase):
    def test_a_long_replay_says_how_far_it_is_on_a_terminal_only(self):
        target = self.receiver()
        target.on("/", Answer(422))
        fanfare = self.daemon([{"name": "strict", "url": target.url("/"),
                                "retry": {"permanent": [422]}}],
                              dead_letters={"dir": str(self.directory / "letters")})
        kept = lambda: fanfare.metrics().value("fanfare_dead_letters_kept_events")
        for begin in range(0, 2500, 500):
            fanfare.post(numbered(begin, 500))
        wait_until(lambda: kept() == 2500, 30, lambda: f"2500 kept: {kept()}")
        target.on("/", Answer(200))
        url = f"http://{fanfare.admin}"
        self.assertEqual(self.run_fanfare("pause", "strict", "--url", url)[0], 0)
        terminal = Terminal([executable(), "replay", "--all", "--url", url])
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.wait(30), 0)
        self.assertRegex(terminal.text(), r"1000 replayed …\r+2000 replayed …\r")
        self.assertTrue(terminal.text().endswith("\rreplayed 2500 events\r\n"), terminal.text())
        self.assertEqual(self.run_fanfare("resume", "strict", "--url", url)[0], 0)
        wait_until(lambda: kept() == 0, 30, lambda: f"0 kept: {kept()}")
        self.assertEqual(self.run_fanfare("replay", "--all", "--url", url),
                         (0, "replayed 0 events\n", ""))
