"""The other commands of the executable."""

import json
import os
import signal
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import envelope, event, numbered
from harness.http import fetch
from harness.process import Process, free_port
from harness.receiver import Answer
from harness.wait import wait_until


class Usage(EndToEndCase):
    def assert_usage(self, *arguments):
        code, output, errors = self.run_fanfare(*arguments)
        self.assertEqual((code, output), (2, ""), arguments)
        self.assertRegex(errors, r"^fanfare: error: .+\n$")

    def test_wrong_usage_is_exit_2_and_one_line(self):
        self.assert_usage()
        self.assert_usage("no-such-command")
        self.assert_usage("serve", "--no-such-option")
        self.assert_usage("serve", "superfluous")
        self.assert_usage("listen", "--status", "fine")
        self.assert_usage("listen", "--fail", "often")
        self.assert_usage("listen", "--delay", "5")
        self.assert_usage("send", "--url")

    def test_unknown_command_is_named_and_the_nearest_suggested(self):
        _, _, errors = self.run_fanfare("srve", "-c", "x")
        self.assertIn('unknown command "srve", did you mean "serve"?', errors)

    def test_version_option_is_the_version_command(self):
        self.assertEqual(self.run_fanfare("--version"), self.run_fanfare("version"))

    def test_help_of_every_command(self):
        for command in ("", "serve", "check", "listen", "send", "status", "store", "healthcheck",
                        "version"):
            code, output, errors = self.run_fanfare(*command.split(), "--help")
            self.assertEqual((code, errors), (0, ""), command)
            self.assertIn("Usage", output)

    def test_version(self):
        code, output, errors = self.run_fanfare("version")
        self.assertEqual((code, errors), (0, ""))
        self.assertRegex(output, r"^fanfare \d+\.\d+\.\d+\n")
        for word in ("commit", "compiler", "boost", "openssl"):
            self.assertRegex(output, rf"(?m)^{word} +\S")

    def test_closed_output_is_quiet(self):
        """What `fanfare … | head -1` meets once head has left."""
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as closed:
            for arguments in (["version"], ["check", "--print-reference"], ["--help"]):
                done = subprocess.run([executable(), *arguments], stdout=closed,
                                      stderr=subprocess.PIPE, timeout=10, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""), arguments)

    def test_output_that_cannot_be_written_is_exit_1(self):
        daemon = self.daemon([{"name": "a", "url": "http://127.0.0.1:1/"}],
                             dead_letters={"dir": str(self.directory / "letters")})
        url = ["--url", f"http://{daemon.admin}"]
        for arguments in (["version"], ["check", "--print-reference"], ["status", *url],
                          ["status", "--json", *url], ["dead-letters", "ls", *url],
                          ["match", *url], ["pause", "a", *url]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([executable(), *arguments], stdout=full,
                                      stderr=subprocess.PIPE, timeout=10, check=False)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertRegex(done.stderr, rb"^fanfare: error: cannot write: .*\n$", arguments)


class Check(EndToEndCase):
    def check(self, text, **environment):
        self.file = self.directory / "some.yaml"
        self.file.write_text(text)
        return self.run_fanfare("check", "-c", self.file, env={**os.environ, **environment})

    def test_good_file(self):
        code, output, errors = self.check("endpoints: [{name: a, url: 'http://x/'}]\n")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("ok", output)

    def test_every_problem_with_its_place(self):
        code, output, errors = self.check(
            "ingest: {listen: nowhere}\n"
            "endpoints:\n"
            "  - name: a\n"
            "    url: ftp://x/\n"
            "    tiemout: 1s\n"
            "    timeout: 5\n")
        self.assertEqual((code, output), (78, ""))
        lines = errors.splitlines()
        self.assertEqual(len(lines), 4, errors)
        for line, place in zip(lines, ("1:18", "4:10", "5:5", "6:14")):
            self.assertTrue(line.startswith(f"{self.file}:{place}: error: "), line)
        self.assertRegex(lines[2], 'did you mean "?timeout"?')

    def test_variables_come_from_the_environment(self):
        text = "endpoints: [{name: a, url: '${HOOK_URL}', timeout: '${LIMIT:-3s}'}]\n"
        self.assertEqual(self.check(text, HOOK_URL="http://x/")[0], 0)
        code, _, errors = self.check(text)
        self.assertEqual(code, 78)
        self.assertIn("HOOK_URL", errors)

    def test_file_is_named_by_the_environment(self):
        file = self.directory / "named.yaml"
        file.write_text("endpoints: []\n")
        code, output, _ = self.run_fanfare(
            "check", env={**os.environ, "FANFARE_CONFIG": str(file)})
        self.assertEqual(code, 0)
        self.assertIn("named.yaml", output)

    def test_registry_values(self):
        """Acceptance 12, 13 and 14, in short; each message is in the golden files."""
        good = "endpoints: [{{name: a, url: 'http://x/', {}}}]\n"
        for value in ("timeout: 1m1.5s", "timeout: 500ms", "timeout: -5s", "threshold: -3"):
            self.assertEqual(self.check(good.format(value))[0], 0, value)
        for value in ("timeout: 5", "timeout: fast", "threshold: '5'", "retries: 3",
                      "headers: [a]"):
            self.assertEqual(self.check(good.format(value))[0], 78, value)
        for text in ("endpoints: {a: {url: 'http://x/'}}\n", "endpoints: [{name: a, url: ''}]\n",
                     "endpoints: [{name: a, url: 'http://x/'}, {name: a, url: 'http://x/'}]\n",
                     "admin: {}\n", "", "endpoints: ["):
            self.assertEqual(self.check(text)[0], 78, text)


class Send(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url()}])
        self.url = f"http://{self.fanfare.ingest}/events"

    def send(self, *arguments, **options):
        return self.run_fanfare("send", "--url", self.url, *arguments, **options)

    def test_sample_event(self):
        code, output, errors = self.send()
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(output, "accepted 1 event, seq 1\n")
        received, = self.receiver_.wait_for(1)
        self.assertEqual(received.events()[0]["action"], "push")

    def test_socket_without_a_path(self):
        socket = self.directory / "ingest.sock"
        self.daemon(ingest={"listen": f"unix:{socket}"})
        self.url = f"unix:{socket}"
        self.assertEqual(self.send(), (0, "accepted 1 event, seq 1\n", ""))

    def test_files_and_standard_input(self):
        one = self.directory / "one.json"
        one.write_bytes(numbered(0, 2))
        lines = self.directory / "lines.ndjson"
        lines.write_text('{"id":"e2"}\n{"id":"e3"}\n')
        code, output, _ = self.send(str(one), str(lines))
        self.assertEqual((code, output), (0, "accepted 4 events in 2 requests, seq 1-4\n"))
        code, output, _ = self.send("--count", "2", "-", stdin=b'{"id":"e4"}')
        self.assertEqual((code, output), (0, "accepted 2 events in 2 requests, seq 5-6\n"))
        self.wait_delivered(self.fanfare, "t1")
        self.assertEqual(self.receiver_.accepted_ids(), ["e0", "e1", "e2", "e3", "e4", "e4"])

    def test_refused_events_are_exit_1_with_the_daemons_words(self):
        code, output, errors = self.send("-", stdin=b'{"events":[1]}')
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, r"^fanfare: error: .*400.*\n$")

    def test_nobody_there_and_no_such_file(self):
        for arguments in (["--url", f"http://127.0.0.1:{free_port()}/events"],
                          ["--url", self.url, str(self.directory / "none.json")]):
            code, output, errors = self.run_fanfare("send", *arguments)
            self.assertEqual((code, output), (1, ""))
            self.assertRegex(errors, r"^fanfare: error: .+\n$")


class Listen(EndToEndCase):
    def listen(self, *arguments):
        process = self.process(
            Process([executable(), "listen", "--listen", "127.0.0.1:0", *arguments]))
        marker = "listening on "
        self.address = process.wait_for_line(
            lambda line: line.startswith(marker) and line[len(marker):])
        return process

    def send_through_a_daemon(self, count, **endpoint):
        daemon = self.daemon([{"name": "t1", "url": f"http://{self.address}/hook",
                               "threshold": 1000, **endpoint}])
        daemon.post(numbered(0, count))
        self.wait_delivered(daemon, "t1")
        return daemon.metrics()

    def test_prints_a_line_per_webhook_and_a_summary(self):
        process = self.listen()
        self.send_through_a_daemon(3)
        self.assertEqual(process.stop(signal.SIGINT), 0)
        lines = [line for line in process.lines if "POST /hook" in line]
        self.assertEqual(len(lines), 3, process.lines)
        for number, line in enumerate(lines):
            for part in (f"id=e{number}", "action=push", "repository=library/tiny", " 204 "):
                self.assertIn(part, line)
        self.assertIn("received 3", process.lines[-1])

    def test_answers_with_the_status_it_is_given(self):
        self.listen("--status", "201")
        metrics = self.send_through_a_daemon(1)
        self.assertEqual(metrics.value("fanfare_endpoint_responses_total", endpoint="t1",
                                       code="201"), 1)

    def test_fails_as_often_as_it_is_told(self):
        process = self.listen("--fail", "30%")
        metrics = self.send_through_a_daemon(200)
        failures = metrics.endpoint("failures_total", "t1")
        # 200 successes at 30 %: 86 failures expected, deviation 11; six of these either way.
        self.assertTrue(20 <= failures <= 152, failures)
        self.assertEqual(process.stop(), 0)
        self.assertIn(f"{failures:.0f} answered 503", process.lines[-1])

    def test_waits_as_long_as_it_is_told(self):
        self.listen("--delay", "200ms")
        metrics = self.send_through_a_daemon(1, timeout="5s")
        self.assertGreaterEqual(metrics.value(
            "fanfare_endpoint_delivery_latency_seconds_sum", endpoint="t1"), 0.2)

    def test_verbose_shows_headers_and_body(self):
        process = self.listen("--verbose")
        self.send_through_a_daemon(1)
        process.wait_for_line(lambda line: "webhook-id: e0" in line)
        process.wait_for_line(lambda line: '{"events":[' in line)

    def test_control_characters_of_a_sender_do_not_reach_the_terminal(self):
        process = self.listen("--verbose")
        daemon = self.daemon([{"name": "t1", "url": f"http://{self.address}/hook"}])
        daemon.post(envelope(event("\x1b[2J", "\x07bell")))
        self.wait_delivered(daemon, "t1")
        self.assertEqual(process.stop(), 0)
        self.assertNotRegex(process.text(), r"[\x00-\x08\x0b-\x1f\x7f]")

    def test_ends_quietly_once_nobody_reads_its_output(self):
        with subprocess.Popen([executable(), "listen", "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            self.address = process.stderr.readline().decode().split()[-1]
            process.stdout.close()
            self.assertEqual(fetch(self.address, "POST", "/", numbered(0, 1)).status, 204)
            self.assertEqual(process.wait(10), 0)
            self.assertEqual(process.stderr.read(), b"")

    def test_address_in_use(self):
        self.listen()
        code, _, errors = self.run_fanfare("listen", "--listen", self.address)
        self.assertEqual(code, 1)
        self.assertRegex(errors, rf"^fanfare: error: .*{self.address}.*in use.*\n$")


class Status(EndToEndCase):
    def start(self):
        receiver = self.receiver()
        receiver.on("/bad", Answer(500))
        self.fanfare = self.daemon([
            {"name": "good", "url": receiver.url("/good")},
            {"name": "bad", "url": receiver.url("/bad"), "threshold": 2, "backoff": "100ms"},
            {"name": "off", "url": receiver.url("/off"), "disabled": True}])
        self.fanfare.post(numbered(0, 3))
        self.wait_delivered(self.fanfare, "good")
        wait_until(lambda: self.fanfare.metrics().endpoint("breaker_open", "bad") == 1)
        return f"http://{self.fanfare.admin}"

    def test_table(self):
        code, output, errors = self.run_fanfare("status", "--url", self.start())
        self.assertEqual((code, errors), (0, ""))
        rows = {line.split()[0]: line.split() for line in output.splitlines()}
        self.assertEqual(set(rows), {"NAME", "good", "bad", "off"})
        self.assertEqual(rows["good"][1:3], ["up", "0"])
        self.assertEqual(rows["bad"][1:3], ["breaker_open", "3"])
        self.assertEqual(rows["off"][1], "disabled")
        self.assertRegex(output, r"\bbad .* \d+s ago: status 500\n")

    def test_json(self):
        code, output, _ = self.run_fanfare("status", "--json", "--url", self.start())
        self.assertEqual(code, 0)
        endpoints = {e["name"]: e for e in json.loads(output)["endpoints"]}
        self.assertEqual(endpoints["good"]["counters"]["successes"], 3)
        self.assertEqual(endpoints["bad"]["pending"], 3)

    def test_watch_shows_it_again_until_nobody_reads_it(self):
        url = self.start()
        with subprocess.Popen([executable(), "status", "--watch", "--url", url],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            headings = 0
            while headings < 2:
                headings += process.stdout.readline().startswith(b"NAME")
            process.stdout.close()
            self.assertEqual(process.wait(10), 0)
            self.assertEqual(process.stderr.read(), b"")

    def test_one_endpoint_and_an_unknown_one(self):
        self.start()
        self.assertEqual(self.fanfare.get("/v1/endpoints/good").json()["name"], "good")
        unknown = self.fanfare.get("/v1/endpoints/nobody")
        self.assertEqual((unknown.status, unknown.error_codes()), (404, ["NAME_UNKNOWN"]))

    def test_no_daemon_is_exit_1_with_a_clear_message(self):
        address = f"127.0.0.1:{free_port()}"
        code, output, errors = self.run_fanfare("status", "--url", f"http://{address}")
        self.assertEqual((code, output), (1, ""))
        self.assertRegex(errors, rf"^fanfare: error: .*{address}.*\n$")


class Healthcheck(EndToEndCase):
    def check(self, url):
        return self.run_fanfare("healthcheck", "--url", url)

    def test_ready_draining_and_gone(self):
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}],
                             shutdown={"drain": "3s"})
        url = f"http://{daemon.admin}/readyz"
        self.assertEqual(self.check(url), (0, "", ""))
        daemon.post(numbered(0, 1))
        daemon.send_signal(signal.SIGTERM)
        wait_until(lambda: daemon.log_entries(msg="stopping"))
        code, _, errors = self.check(url)
        self.assertEqual((code, errors.count("\n")), (1, 1))
        self.assertEqual(daemon.wait(), 0)
        code, _, errors = self.check(url)
        self.assertEqual((code, errors.count("\n")), (1, 1))

    def test_unix_socket(self):
        path = self.directory / "admin.sock"
        self.daemon(admin={"listen": f"unix:{path}"})
        self.assertEqual(self.check(f"unix:{path}"), (0, "", ""))
