"""Signed webhooks: by the daemon, verified by receivers that did not learn it from the daemon."""

import base64
import json
import time

from harness.case import EndToEndCase
from harness.daemon import executable
from harness.events import numbered
from harness.http import fetch
from harness.node import installed, run_node
from harness.process import Process, require_program
from harness.signatures import (KEY_1, KEY_2, PRIVATE_KEY, PUBLIC_KEY, is_signed_as_github,
                                is_signed_as_stripe, is_signed_by_public_key, is_signed_with, sign,
                                signatures)
from harness.wait import wait_until


class Signed(EndToEndCase):
    def start(self, secrets, env=None, scheme="standard", **endpoint):
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon(
            [{"name": "t1", "url": self.receiver_.url(),
              "signing": {"scheme": scheme, "secrets": secrets}, **endpoint}], env=env)
        return self.fanfare

    def next_request(self, number=0):
        """The request for one more event."""
        known = self.receiver_.count()
        self.fanfare.post(numbered(number, 1))
        return self.receiver_.wait_for(known + 1)[known]

    def secret_file(self, name, text):
        file = self.directory / name
        file.write_text(text)
        return file

    def test_secret_from_each_source_signs_in_the_order_given(self):
        require_program("openssl")
        file = self.secret_file("key", KEY_1 + "\n")
        self.start([{"file": str(file)}, {"env": "OTHER"}, PRIVATE_KEY], env={"OTHER": KEY_2})
        request = self.next_request()
        self.assertTrue(is_signed_with(KEY_1, request))
        self.assertTrue(is_signed_with(KEY_2, request))
        self.assertTrue(is_signed_by_public_key(PUBLIC_KEY, request))
        self.assertEqual([item.partition(",")[0] for item in signatures(request)],
                         ["v1", "v1", "v1a"])
        self.assertEqual(signatures(request)[0], sign(
            KEY_1, request.header("webhook-id"), request.header("webhook-timestamp"),
            request.body))

    def test_every_attempt_is_signed_anew_under_the_same_id(self):
        self.start([KEY_1], threshold=1, backoff="1100ms")
        self.receiver_.script("/hook", [503])
        self.fanfare.post(numbered(0, 1))
        first, second = self.receiver_.wait_for(2)
        self.assertEqual(first.header("webhook-id"), second.header("webhook-id"))
        self.assertNotEqual(first.header("webhook-timestamp"), second.header("webhook-timestamp"))
        self.assertTrue(is_signed_with(KEY_1, first))
        self.assertTrue(is_signed_with(KEY_1, second))

    def test_bare_events_are_signed_too(self):
        self.start([KEY_1], format="event")
        self.assertTrue(is_signed_with(KEY_1, self.next_request()))

    def test_github_and_stripe_find_their_own_form(self):
        self.start(["It's a Secret"], scheme="github")
        request = self.next_request()
        self.assertTrue(is_signed_as_github("It's a Secret", request))
        self.assertIsNone(request.header("webhook-signature"))
        self.start(["whsec_new", "whsec_old"], scheme="stripe")
        request = self.next_request()
        self.assertTrue(is_signed_as_stripe("whsec_new", request))
        self.assertTrue(is_signed_as_stripe("whsec_old", request))

    def test_secret_that_is_rotated_on_disk_is_used_within_a_second_or_two(self):
        file = self.secret_file("key", KEY_1)
        self.start([{"file": str(file)}, PRIVATE_KEY])
        self.assertTrue(is_signed_with(KEY_1, self.next_request()))
        file.write_text(KEY_2)
        wait_until(lambda: is_signed_with(KEY_2, self.next_request()), 5)
        self.assertFalse(is_signed_with(KEY_1, self.next_request()))

    def test_secret_file_that_goes_bad_leaves_the_last_one_and_warns_once(self):
        file = self.secret_file("key", KEY_1)
        self.start([{"file": str(file)}])
        file.write_text("whsec_c2hvcnQ=")
        begun = time.monotonic()
        wait_until(lambda: self.next_request() and self.fanfare.log_entries(level="warning"), 5)
        while time.monotonic() < begun + 2.5:
            self.assertTrue(is_signed_with(KEY_1, self.next_request()))
        warnings = self.fanfare.log_entries(level="warning")
        self.assertEqual(len(warnings), 1, warnings)
        self.assertEqual(warnings[0]["file"], str(file))
        self.assertNotIn("c2hvcnQ", self.fanfare.text())

    def test_secret_file_that_is_missing_or_bad_at_start_is_exit_1(self):
        for text in (None, "hello"):
            file = self.directory / "bad"
            if text is not None:
                file.write_text(text)
            daemon = self.daemon([{"name": "t1", "url": "http://127.0.0.1:9/",
                                   "signing": {"secrets": [{"file": str(file)}]}}], ready=False)
            daemon.expected_exit = 1
            self.assertEqual(daemon.wait(), 1)
            self.assertIn(str(file), daemon.text())
            self.assertNotIn("hello", daemon.text())

    def test_npm_package_standardwebhooks_agrees(self):
        directory = installed("standardwebhooks")
        self.start([KEY_1, KEY_2, PRIVATE_KEY])
        for number in range(20):
            self.next_request(number)
        cases = [{"secret": secret, "headers": dict(request.headers),
                  "body": base64.b64encode(request.body).decode()}
                 for request in self.receiver_.received() for secret in (KEY_1, KEY_2)]
        cases.append({**cases[0], "secret": "whsec_" + "A" * 32})
        cases.append({**cases[0], "body": base64.b64encode(b"{}").decode()})
        verdicts = json.loads(run_node(directory, "verify.mjs", json.dumps(cases)))
        self.assertEqual(verdicts[:-2], ["ok"] * 40)
        self.assertEqual(verdicts[-2:], ["No matching signature found"] * 2)


class Verified(EndToEndCase):
    """`fanfare listen --secret`."""

    def listen(self, *arguments):
        process = self.process(
            Process([executable(), "listen", "--listen", "127.0.0.1:0", *map(str, arguments)]))
        marker = "listening on "
        self.address = process.wait_for_line(
            lambda line: line.startswith(marker) and line[len(marker):])
        return process

    def send(self, body=b"{}", webhook_id="msg_1", timestamp=None, signature=None):
        """The answer to a webhook; headers that are "" are left out."""
        timestamp = str(int(time.time())) if timestamp is None else timestamp
        if signature is None:
            signature = sign(KEY_1, webhook_id, timestamp, body)
        headers = [(name, value) for name, value in (
            ("webhook-id", webhook_id), ("webhook-timestamp", timestamp),
            ("webhook-signature", signature)) if value]
        return fetch(self.address, "POST", "/", body, headers)

    def assert_refused(self, answer, reason):
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.body.decode(), reason + "\n")

    def test_what_the_daemon_signs_is_valid(self):
        file = self.directory / "key"
        file.write_text(KEY_1 + "\n")
        for known, given in ((["--secret", KEY_1], [KEY_1]),
                             (["--secret-file", file], [KEY_2, KEY_1]),
                             (["--secret", KEY_2[6:], "--secret", KEY_1], [KEY_2]),
                             (["--secret", PUBLIC_KEY], [KEY_1, PRIVATE_KEY]),
                             (["--secret", PRIVATE_KEY], [PRIVATE_KEY])):
            process = self.listen(*known)
            daemon = self.daemon([{"name": "t1", "url": f"http://{self.address}/hook",
                                   "signing": {"secrets": given}}])
            daemon.post(numbered(0, 2))
            self.wait_delivered(daemon, "t1")
            self.assertEqual(process.stop(), 0)
            lines = [line for line in process.lines if "POST /hook" in line]
            self.assertEqual(len(lines), 2, process.lines)
            for line in lines:
                self.assertIn(" 204 ", line)
                self.assertTrue(line.endswith(" signature=valid"), line)

    def test_what_another_key_has_signed_is_answered_401(self):
        process = self.listen("--secret", KEY_2)
        daemon = self.daemon([{"name": "t1", "url": f"http://{self.address}/hook",
                               "retry": {"max_attempts": 1}, "signing": {"secrets": [KEY_1]}}])
        daemon.post(numbered(0, 1))
        process.wait_for_line(
            lambda line: " 401 " in line and line.endswith("signature=invalid "
                                                           "(no signature matches)"))
        self.wait_delivered(daemon, "t1")
        self.assertEqual(daemon.metrics().value(
            "fanfare_endpoint_responses_total", endpoint="t1", code="401"), 1)

    def test_what_is_wrong_is_said(self):
        self.listen("--secret", KEY_1, "--fail", "100%")
        now = int(time.time())
        self.assertEqual(self.send().status, 503)
        self.assert_refused(self.send(webhook_id=""), "webhook-id is missing")
        self.assert_refused(self.send(timestamp="", signature="v1,AAAA"),
                            "webhook-timestamp is missing")
        self.assert_refused(self.send(signature=""), "webhook-signature is missing")
        self.assert_refused(self.send(timestamp="hello"), "webhook-timestamp is no integer")
        self.assert_refused(self.send(timestamp=str(now - 310)), "webhook-timestamp is too old")
        self.assert_refused(self.send(timestamp=str(now + 310)), "webhook-timestamp is too new")
        self.assert_refused(self.send(signature="v1,"), "no signature matches")
        self.assert_refused(self.send(signature="v2,AAAA"),
                            "webhook-signature has no signature of version v1 or v1a")
        good = sign(KEY_1, "msg_1", str(now), b"{}")
        self.assert_refused(self.send(b"{ }", timestamp=str(now), signature=good),
                            "no signature matches")
        self.assertEqual(
            self.send(timestamp=str(now), signature=f"v2,x v1,AAAA {good}").status, 503)

    def test_a_secret_that_is_none_is_wrong_usage(self):
        missing = self.directory / "missing"
        for arguments in (("--secret", "hello"), ("--secret", "whsec_c2hvcnQ="),
                          ("--secret", ""), ("--secret-file", missing)):
            code, _, errors = self.run_fanfare("listen", "--listen", "127.0.0.1:0", *arguments)
            self.assertEqual(code, 2, arguments)
            self.assertRegex(errors, r"^fanfare: error: --secret[^\n]+\n$")
            self.assertNotIn("hello", errors)
            self.assertNotIn("c2hvcnQ", errors)
