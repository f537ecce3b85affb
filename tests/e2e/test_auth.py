"""Authorization of requests: bearer, basic and OAuth2 with a token endpoint that has moods."""

import base64
import json
import time
import urllib.parse

from harness.case import EndToEndCase
from harness.certificates import Authority
from harness.events import ids, numbered
from harness.process import free_port, require_program
from harness.receiver import CLOSE, HANG, Answer
from harness.wait import stays_true, wait_until


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Files(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.receiver_ = self.receiver()
        self.file = self.directory / "secret"
        self.file.write_text("first\n")

    def start(self, **auth):
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url(), "auth": auth}])

    def next_authorization(self):
        known = self.receiver_.count()
        self.fanfare.post(numbered(known, 1))
        return self.receiver_.wait_for(known + 1)[known].all("Authorization")

    def test_bearer_follows_its_file(self):
        self.start(type="bearer", token_file=str(self.file))
        self.assertEqual(self.next_authorization(), ["Bearer first"])
        self.file.write_text("second")
        wait_until(lambda: self.next_authorization() == ["Bearer second"], 5)
        self.file.unlink()
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            self.assertEqual(self.next_authorization(), ["Bearer second"])
        self.assertEqual(len(self.fanfare.log_entries(level="warning")), 1)

    def test_basic_follows_its_file(self):
        self.start(type="basic", username="me", password_file=str(self.file))
        self.assertEqual(self.next_authorization(), [basic("me", "first")])
        replacement = self.directory / "new"
        replacement.write_text("with: colon")
        replacement.rename(self.file)
        wait_until(lambda: self.next_authorization() == [basic("me", "with: colon")], 5)


class OAuth2(EndToEndCase):
    """A token endpoint at /token, and a receiver at /hook that takes the newest token only."""

    def setUp(self):
        super().setUp()
        self.secret = self.directory / "secret"
        self.secret.write_text("s3cr3t/+\n")
        self.issued = 0
        self.life = 3600
        self.mood = None  # an Answer, in place of a token
        self.start_receiver()

    def start_receiver(self, tls=None):
        self.receiver_ = self.receiver(tls=tls)
        self.receiver_.on("/token", self.token_answer)
        self.receiver_.on("/hook", self.hook_answer)

    def token_answer(self, request):
        if self.mood is not None:
            return self.mood
        client = basic(urllib.parse.quote_plus("me & you"),
                       urllib.parse.quote_plus(self.secret.read_text().strip()))
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        if request.header("Authorization") != client or \
                form != {"grant_type": "client_credentials", "scope": "a b", "audience": "x/y"}:
            return Answer(401, body=b'{"error":"invalid_client"}')
        self.issued += 1
        return Answer(200, body=json.dumps({
            "access_token": f"token-{self.issued}", "token_type": "Bearer",
            "expires_in": self.life}).encode())

    def hook_answer(self, request):
        is_right = request.header("Authorization") == f"Bearer token-{self.issued}"
        return Answer(200 if is_right else 401)

    def start(self, host="127.0.0.1", token_url=None, ca_file=None, **endpoint):
        auth = {"type": "oauth2", "token_url": token_url or self.receiver_.url("/token", host),
                "client_id": "me & you", "client_secret_file": str(self.secret),
                "scopes": ["a", "b"], "audience": "x/y"}
        if ca_file is not None:
            auth["ca_file"] = ca_file
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url("/hook", host),
                                     "threshold": 1, "backoff": "200ms", "auth": auth,
                                     **endpoint}])

    def deliver(self, first, count=1):
        self.fanfare.post(numbered(first, count))
        self.wait_delivered(self.fanfare, "t1", 20)

    def last_error(self):
        state = self.fanfare.get("/v1/endpoints/t1").json()["last_error"]
        return state and state["message"]

    def errors(self, reason):
        return self.fanfare.metrics().value("fanfare_endpoint_errors_total", endpoint="t1",
                                            reason=reason)

    def assert_recovers(self, reason, text):
        """With self.mood: the error shows, nothing is lost, and all goes on after it."""
        self.start()
        self.fanfare.post(numbered(0, 3))
        wait_until(lambda: self.errors(reason) >= 1, 20, lambda: self.fanfare.text()[-2000:])
        self.assertIn(text, self.last_error())
        self.assertEqual(self.receiver_.count("/hook"), 0)
        self.mood = None
        self.wait_delivered(self.fanfare, "t1", 20)
        self.assertEqual(self.receiver_.accepted_ids("/hook"), ids(0, 3))

    def test_one_token_serves_many_events(self):
        self.start()
        self.deliver(0, 50)
        self.assertEqual(self.issued, 1)
        self.assertEqual(self.receiver_.accepted_ids("/hook"), ids(0, 50))

    def test_many_workers_ask_for_one_token(self):
        self.start(max_in_flight=16)
        self.deliver(0, 200)
        self.assertEqual(self.issued, 1)
        self.assertEqual(sorted(self.receiver_.accepted_ids("/hook")), sorted(ids(0, 200)))

    def test_token_is_renewed_before_it_expires(self):
        self.life = 2
        self.start()
        self.deliver(0)
        wait_until(lambda: self.deliver(1) or self.issued >= 3, 10)
        self.assertEqual(self.fanfare.metrics().endpoint("failures_total", "t1"), 0)

    def test_401_brings_a_new_token_and_is_no_failure(self):
        self.start()
        self.deliver(0)
        self.issued += 1  # the one that Fanfare has is no good any more
        self.deliver(1)
        answers = [r.answer.status for r in self.receiver_.received("/hook")]
        self.assertEqual(answers, [200, 401, 200])
        self.assertEqual(self.fanfare.metrics().endpoint("failures_total", "t1"), 0)
        attempts = [r.header("fanfare-attempt") for r in self.receiver_.received("/hook")]
        self.assertEqual(attempts, ["1", "1", "1"])

    def test_second_401_is_a_failure(self):
        self.receiver_.script("/hook", [401] * 4)
        self.start()
        self.deliver(0)
        metrics = self.fanfare.metrics()
        self.assertEqual(metrics.endpoint("failures_total", "t1"), 3)
        attempts = [r.header("fanfare-attempt") for r in self.receiver_.received("/hook")]
        self.assertEqual(attempts, ["1", "1", "2", "3", "4"])
        self.assertEqual(self.issued, 2)

    def test_token_endpoint_that_answers_an_error(self):
        self.mood = Answer(503, headers=(("Retry-After", "1"),), body=b"later")
        self.assert_recovers("protocol", "token request was answered 503")

    def test_token_endpoint_that_redirects(self):
        self.mood = Answer(302, headers=(("Location", self.receiver_.url("/other")),))
        self.assert_recovers("protocol", "token request was answered 302")
        self.assertEqual(self.receiver_.count("/other"), 0)

    def test_token_endpoint_that_answers_garbage(self):
        self.mood = Answer(200, body=b"<html>")
        self.assert_recovers("protocol", "answer to the token request is no JSON object")

    def test_token_endpoint_that_answers_without_end(self):
        self.mood = Answer(how="raw", body=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000)
        self.assert_recovers("protocol", "answer to the token request is too long")

    def test_token_that_would_break_the_head_is_refused(self):
        self.mood = Answer(200, body=json.dumps({"access_token": "a\r\nX-Evil: b"}).encode())
        self.assert_recovers("protocol", "no access_token of use")

    def test_token_endpoint_that_hangs_up(self):
        self.mood = CLOSE
        self.assert_recovers("reset", "token request: ")

    def test_token_endpoint_that_hangs_holds_up_only_its_endpoint(self):
        self.mood = HANG
        other = self.receiver()
        self.fanfare = self.daemon([
            {"name": "t1", "url": self.receiver_.url("/hook"), "auth": {
                "type": "oauth2", "token_url": self.receiver_.url("/token"), "client_id": "a",
                "client_secret_file": str(self.secret)}},
            {"name": "t2", "url": other.url()}])
        self.fanfare.post(numbered(0, 3))
        other.wait_for(3)
        wait_until(lambda: self.errors("timeout") >= 1, 20)
        self.assertIn("token request: ", self.last_error())
        begun = time.monotonic()
        self.assertEqual(self.fanfare.stop(), 0)
        self.assertLess(time.monotonic() - begun, 8)

    def test_token_endpoint_that_is_not_there(self):
        self.start(token_url=f"http://127.0.0.1:{free_port()}/token")
        self.fanfare.post(numbered(0, 1))
        wait_until(lambda: self.errors("connect") >= 1)
        self.assertIn("token request: ", self.last_error())
        self.assertTrue(stays_true(lambda: self.receiver_.count("/hook") == 0, 0.3))

    def test_client_secret_is_read_anew(self):
        self.life = 2
        self.start()
        self.deliver(0)
        self.secret.write_text("another")
        wait_until(lambda: self.deliver(1) or self.issued >= 2, 10)
        self.assertIsNone(self.last_error())

    def test_https_token_endpoint_is_verified_by_the_same_ca_file(self):
        require_program("openssl")
        authority = Authority(self.directory)
        self.start_receiver(tls=authority.server_context("login"))
        self.start(host="localhost", tls={"ca_file": str(authority.file)})
        self.deliver(0)
        self.assertEqual(self.receiver_.accepted_ids("/hook"), ids(0, 1))
        # Each may have authorities of its own.
        (self.directory / "others").mkdir()
        others = str(Authority(self.directory / "others").file)
        self.start(host="localhost", tls={"ca_file": others}, ca_file=str(authority.file))
        self.fanfare.post(numbered(1, 1))
        wait_until(lambda: self.errors("tls") >= 1)
        self.assertIn("tls: certificate refused", self.last_error())
        self.assertEqual(self.issued, 2)
        # Only the endpoint's own server may go unverified.
        self.start(host="localhost", tls={"insecure_skip_verify": True})
        self.fanfare.post(numbered(1, 1))
        wait_until(lambda: self.errors("tls") >= 1)
        self.assertIn("token request: certificate refused", self.last_error())
