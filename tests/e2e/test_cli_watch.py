"""`fanfare status --watch`, on a terminal and into a pipe."""

import json
import os
import signal
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import numbered
from harness.process import Process, free_port
from harness.receiver import Answer
from harness.scripted import Scripted, answer, wait_for_hangup
from harness.terminal import Terminal
from harness.wait import wait_until

ALTERNATE, BACK = "\x1b[?1049h", "\x1b[?1049l"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class WatchCase(EndToEndCase):
    def start(self, **config):
        receiver = self.receiver()
        receiver.on("/bad", Answer(500))
        self.fanfare = self.daemon([
            {"name": "good", "url": receiver.url("/good")},
            {"name": "bad", "url": receiver.url("/bad"), "threshold": 2, "backoff": "100ms"}],
            **config)
        return f"http://{self.fanfare.admin}"

    def terminal(self, *arguments, **options):
        terminal = Terminal([executable(), "status", "--watch", *arguments], **options)
        self.addCleanup(terminal.close)
        return terminal

    def restartable(self):
        """A daemon whose admin listener has the same port again after a restart."""
        port = free_port()
        return self.start(admin={"listen": f"127.0.0.1:{port}"}), port

    def start_again(self, port):
        self.fanfare = self.daemon([{"name": "fresh", "url": f"http://127.0.0.1:{free_port()}/"}],
                                   admin={"listen": f"127.0.0.1:{port}"})


class OnTerminal(WatchCase):
    def test_redraws_in_its_place_until_ctrl_c_and_leaves_the_terminal_as_it_was(self):
        terminal = self.terminal("--interval", "100ms", "--url", self.start())
        wait_until(lambda: terminal.output().count("\x1b[H") >= 5)
        terminal.interrupt()
        self.assertEqual(terminal.wait(), 0)
        output = terminal.output()
        self.assertTrue(output.startswith(ALTERNATE + HIDE), output[:40])
        self.assertTrue(output.rstrip().endswith(SHOW + BACK), output[-40:])
        self.assertEqual((output.count(ALTERNATE), output.count(BACK)), (1, 1))
        self.assertEqual(terminal.settings(), terminal.settings_before)
        drawn = [screen for screen in terminal.screens() if "good" in screen]
        for screen in drawn[:-1]:
            self.assertEqual(screen.count("NAME"), 1, screen)
            self.assertLess(screen.count("\n"), 24)

    def test_sigterm_ends_it_as_well(self):
        terminal = self.terminal("--url", self.start())
        terminal.wait_for("good")
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.wait(), 0)
        self.assertIn(SHOW + BACK, terminal.output())

    def test_shows_rates(self):
        terminal = self.terminal("--interval", "200ms", "--url", self.start())
        terminal.wait_for(r"NAME +STATE +PENDING +OLDEST +IN-FLIGHT +IN +OUT +FAILING ")
        terminal.wait_for(r"good +up +0 +0.0s +0 +0.0/s +0.0/s +0.0/s ")
        self.fanfare.post(numbered(0, 50))
        terminal.wait_for(r"2 endpoints, \d+ pending, [1-9][\d.]*/s in, [1-9][\d.]*/s delivered")
        terminal.wait_for(r"good +up +0 +0.0s +0 +[1-9][\d.]*/s +[1-9][\d.]*/s +0.0/s +50 ")
        terminal.wait_for(r"bad +breaker_open +50 +[\d.]+s +\d +0.0/s +0.0/s +[1-9][\d.]*/s ")

    def test_shows_that_the_daemon_goes_away_and_comes_back(self):
        url, port = self.restartable()
        terminal = self.terminal("--interval", "100ms", "--url", url)
        place = terminal.wait_for("good")
        self.assertEqual(self.fanfare.stop(), 0)
        place = terminal.wait_for("NO ANSWER since 2[^ ]+Z: .*refused", start=place)
        terminal.wait_for("good", start=place)
        self.start_again(port)
        place = terminal.wait_for("fresh", start=place)
        terminal.wait_for("1 endpoint, 0 pending, 0.0/s in", start=place)
        terminal.interrupt()
        self.assertEqual(terminal.wait(), 0)

    def test_ctrl_c_ends_it_while_the_daemon_hangs(self):
        listed = {"endpoints": [], "next": None}
        hung = Scripted(answer(200, json.dumps(listed)), lambda peer, _: wait_for_hangup(peer))
        self.addCleanup(hung.close)
        terminal = self.terminal("--interval", "100ms", "--url", hung.url)
        wait_until(lambda: len(hung.requests) == 2)
        terminal.interrupt()
        self.assertEqual(terminal.wait(3), 0)
        self.assertIn(SHOW + BACK, terminal.output())

    def test_cuts_what_does_not_fit(self):
        url = f"http://127.0.0.1:{free_port()}/"
        daemon = self.daemon([{"name": f"endpoint-{i:03}", "url": url} for i in range(40)])
        terminal = self.terminal("--url", f"http://{daemon.admin}", rows=12, columns=40)
        terminal.wait_for("… 34 more")
        screen = terminal.screens()[-1]
        lines = screen.replace("\r", "").rstrip("\n").split("\n")
        self.assertEqual(len(lines), 11)
        self.assertEqual([line for line in lines if len(line) > 40], [])

    def test_no_daemon_leaves_the_terminal_alone(self):
        terminal = self.terminal("--url", f"http://127.0.0.1:{free_port()}")
        self.assertEqual(terminal.wait(), 1)
        self.assertRegex(terminal.output(), r"^fanfare: error: .*refused\r\n$")

    def test_an_answer_that_makes_no_sense_ends_it_in_order(self):
        listed = {"endpoints": [], "next": None}
        server = Scripted(answer(200, json.dumps(listed)), answer(200, "what?"))
        self.addCleanup(server.close)
        terminal = self.terminal("--interval", "100ms", "--url", server.url)
        self.assertEqual(terminal.wait(), 1)
        self.assertRegex(terminal.output(), r"\x1b\[\?1049lfanfare: error: .*like a fanfare daemon")


class IntoPipe(WatchCase):
    def watch(self, *arguments):
        return self.process(Process([executable(), "status", "--watch", *arguments]))

    def test_has_no_escapes_and_ends_on_sigint(self):
        process = self.watch("--interval", "100ms", "--url", self.start())
        wait_until(lambda: process.text().count("NAME") >= 3)
        self.assertEqual(process.stop(signal.SIGINT), 0)
        self.assertNotIn("\x1b", process.text())

    def test_json_is_a_line_each_time(self):
        process = self.watch("--json", "--interval", "100ms", "--url", self.start())
        wait_until(lambda: len(process.lines) >= 3)
        self.assertEqual(process.stop(signal.SIGINT), 0)
        for line in process.lines:
            self.assertEqual(len(json.loads(line)["endpoints"]), 2)

    def test_ends_at_once_when_its_reader_leaves(self):
        url = self.start()
        with subprocess.Popen([executable(), "status", "--watch", "--interval", "1h", "--url", url],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            self.assertTrue(process.stdout.readline().startswith(b"NAME"))
            process.stdout.close()
            self.assertEqual(process.wait(10), 0)
            self.assertEqual(process.stderr.read(), b"")

    def test_survives_a_restart_of_the_daemon(self):
        url, port = self.restartable()
        process = self.watch("--interval", "100ms", "--url", url)
        process.wait_for_line(lambda line: "good" in line)
        self.assertEqual(self.fanfare.stop(), 0)
        process.wait_for_line(lambda line: line.startswith("fanfare: no answer, trying again: "))
        self.start_again(port)
        process.wait_for_line(lambda line: "fresh" in line)
        process.wait_for_line(lambda line: line == "fanfare: the daemon answers again")
        self.assertEqual(process.stop(signal.SIGINT), 0)
        self.assertEqual(process.text().count("no answer"), 1)

    def test_interval_is_checked(self):
        for interval in ("5", "1ms", "2h", "soon"):
            code, output, errors = self.run_fanfare("status", "--watch", "--interval", interval)
            self.assertEqual((code, output), (2, ""), interval)
            self.assertRegex(errors, r"^fanfare: error: --interval: .+\n$")
