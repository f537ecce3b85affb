"""What holds for every command that asks a running daemon."""

import json
import os
import subprocess

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import numbered
from harness.process import free_port
from harness.receiver import Answer
from harness.scripted import Scripted, answer
from harness.wait import wait_until
from test_admin import own_address

READING = (["status"], ["tail", "--count", "1"], ["events"], ["events", "1"], ["endpoints"],
           ["endpoints", "audit"], ["endpoints", "audit", "--attempts", "5"],
           ["dead-letters", "ls"], ["dead-letters", "show", "1"])
CHANGING = (["dead-letters", "replay", "--all"], ["dead-letters", "purge", "--all"],
            ["replay", "--all"], ["pause", "audit"], ["resume", "audit"], ["test", "audit"],
            ["match"], ["reload"])
ENDLESS = ("tail",)


class EveryCommand(EndToEndCase):
    def start(self, **config):
        target = self.receiver()
        target.on("/strict", Answer(422))
        self.fanfare = self.daemon(
            [{"name": "audit", "url": target.url("/")},
             {"name": "strict", "url": target.url("/strict"), "retry": {"permanent": [422]}}],
            dead_letters={"dir": str(self.directory / "letters")}, **config)
        self.url = f"http://{self.fanfare.admin}"

    def fill(self):
        self.fanfare.post(numbered(0, 3))
        self.wait_delivered(self.fanfare, "audit")
        wait_until(self.has_letters)

    def has_letters(self):
        return self.fanfare.metrics().value("fanfare_dead_letters_kept_events") == 3

    def scripted(self, script):
        server = Scripted(script)
        self.addCleanup(server.close)
        return server.url

    def assert_fail(self, url, pattern, *more):
        for command in (*READING, *CHANGING):
            with self.subTest(command=command, url=url):
                code, output, errors = self.run_fanfare(*command, "--url", url, *more)
                self.assertEqual((code, output), (1, ""))
                self.assertRegex(errors, rf"^fanfare: error: .*{pattern}.*\n$")

    def test_no_daemon(self):
        self.assert_fail(f"http://127.0.0.1:{free_port()}", "Connection refused")
        self.assert_fail(f"unix:{self.directory}/none.sock", "No such file or directory")

    def test_wrong_and_missing_token(self):
        right, wrong = self.directory / "right", self.directory / "wrong"
        right.write_text("sesame\n", encoding="ascii")
        wrong.write_text("parsley\n", encoding="ascii")
        address = own_address()
        if address is None:
            self.skipTest("no interface but loopback, whose peers need no token")
        self.start(admin={"listen": f"{address}:0", "bearer_token_file": str(right)})
        url = self.url
        self.fill()
        self.assert_fail(url, "answered 40[13]")
        self.assert_fail(url, "answered 40[13]", "--token-file", wrong)
        self.assert_fail(url, "cannot read a token", "--token-file", self.directory / "none")
        for command in READING:
            if command[0] not in ENDLESS:
                code, _, errors = self.run_fanfare(*command, "--url", url, "--token-file", right)
                self.assertEqual((code, errors), (0, ""), command)

    def test_a_server_that_is_something_else(self):
        for body in ("<html>", "[1]", "", "null"):
            url = self.scripted(answer(200, body))
            for command in (*READING, *CHANGING):
                if command[0] in ("pause", "resume"):
                    continue  # they look at the status only
                with self.subTest(command=command, body=body):
                    code, _, errors = self.run_fanfare(*command, "--url", url)
                    self.assertEqual(code, 1)
                    self.assertRegex(errors, r"^fanfare: error: .*like a fanfare daemon\n$")
        self.assert_fail(self.scripted(answer(404, "<html>")), "answered 404")

    def test_an_answer_that_is_cut(self):
        def cut(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self.assert_fail(self.scripted(cut), "ended before the end of the body")

    def test_json_is_json(self):
        self.start()
        self.fill()
        for command in (*READING, *CHANGING):
            if command[0] not in ENDLESS:
                with self.subTest(command=command):
                    code, output, errors = self.run_fanfare(*command, "--json", "--url", self.url)
                    self.assertEqual((code, errors), (0, ""))
                    self.assertIsInstance(json.loads(output), dict)

    def test_empty_lists(self):
        self.fanfare = self.daemon(dead_letters={"dir": str(self.directory / "letters")})
        url = f"http://{self.fanfare.admin}"
        for command in (["status"], ["events"], ["endpoints"], ["dead-letters", "ls"]):
            code, output, errors = self.run_fanfare(*command, "--url", url)
            self.assertEqual((code, len(output.splitlines()), errors), (0, 1, ""), command)
        for command in (["replay", "--all"], ["dead-letters", "purge", "--all"]):
            code, output, errors = self.run_fanfare(*command, "--url", url)
            self.assertEqual((code, errors), (0, ""), command)
            self.assertRegex(output, "^[a-z]+ 0 ")

    def test_a_pipe_that_closes_early(self):
        self.start()
        self.fill()
        for command in (*READING, ["status", "--watch"], ["completion", "bash"], ["match"],
                        ["test", "audit"]):
            with self.subTest(command=command):
                reader, writer = os.pipe()
                os.close(reader)
                where = [] if command[0] == "completion" else ["--url", self.url]
                with os.fdopen(writer, "wb") as closed:
                    done = subprocess.run([executable(), *command, *where], stdout=closed,
                                          stderr=subprocess.PIPE, timeout=20, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_disk_that_is_full(self):
        self.start()
        self.fill()
        for command in READING:
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                done = subprocess.run([executable(), *command, "--url", self.url], stdout=full,
                                      stderr=subprocess.PIPE, timeout=20, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.decode(), r"^fanfare: error: cannot write: .+\n$")

    def test_over_a_unix_socket(self):
        path = self.directory / "admin.sock"
        self.start(admin={"listen": f"unix:{path}"})
        self.fanfare.post(numbered(0, 1))
        for command in (["status"], ["events"], ["endpoints"], ["dead-letters", "ls"]):
            code, _, errors = self.run_fanfare(*command, "--url", f"unix:{path}")
            self.assertEqual((code, errors), (0, ""), command)
