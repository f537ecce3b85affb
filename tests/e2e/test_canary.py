"""A canary in every key that holds a secret: it must be seen by receivers only."""

import base64
import copy
import json
import signal
import urllib.parse

from harness.case import EndToEndCase
from harness.events import numbered
from harness.http import fetch
from harness.receiver import Answer
from harness.wait import wait_until

PROXIED = "http://receiver.invalid/proxied"
WORD = "CaNaRy0123456789CaNaRy0123456789"  # base64 of 24 bytes as it stands


def spellings(text):
    """Each form in which a secret could leak."""
    raw = text.encode()
    # Base64 of any text around it shows one of three cores.
    shifted = [base64.b64encode(b"x" * n + raw).decode()[n + 2:-4] for n in range(3)]
    return {text, urllib.parse.quote_plus(text), raw.hex(), *shifted}


class Canary(EndToEndCase):
    def assert_silent(self, where, text):
        for spelling in spellings(WORD):
            self.assertNotIn(spelling, text, f"the canary sings in {where}")

    def file(self, name, text=WORD):
        file = self.directory / name
        file.write_text(text)
        return str(file)

    def endpoints(self, receiver):
        host = f"127.0.0.1:{receiver.port}"
        oauth2 = {"type": "oauth2", "token_url": receiver.url("/token"), "client_id": "me",
                  "client_secret_file": self.file("client-secret")}
        return [
            {"name": "file", "url": receiver.url("/file"), "signing": {
                "secrets": [{"file": self.file("signing", "whsec_" + WORD)}]}},
            {"name": "env", "url": receiver.url("/env"),
             "signing": {"secrets": [{"env": "CANARY"}]}},
            {"name": "inline", "url": receiver.url("/inline"),
             "signing": {"secrets": ["whsec_" + WORD, "${CANARY}"]}},
            {"name": "github", "url": receiver.url("/github"),
             "signing": {"scheme": "github", "secrets": [WORD]}},
            {"name": "bearer", "url": receiver.url("/bearer"),
             "auth": {"type": "bearer", "token_file": self.file("bearer")}},
            {"name": "basic", "url": receiver.url("/basic"),
             "auth": {"type": "basic", "username": "me", "password_file": self.file("basic")}},
            {"name": "oauth2", "url": receiver.url("/oauth2"), "auth": oauth2},
            {"name": "header", "url": receiver.url("/header"), "retry": {"permanent": [500]},
             "headers": {"X-Secret": WORD, "Authorization": ["Bearer ${CANARY}"]}},
            {"name": "url", "url": f"http://me:{WORD}@{host}/url?token={WORD}"},
            {"name": "proxy", "url": PROXIED, "proxy": f"http://me:{WORD}@{host}"},
            {"name": "path", "url": f"http://{host}/path/${{CANARY}}"},
            {"name": "disabled", "disabled": True, "url": f"http://{WORD}@{host}/",
             "headers": {"X-Secret": WORD}},
        ]

    def start(self, receiver):
        self.endpoints_ = self.endpoints(receiver)
        return self.daemon(
            [{"threshold": 1, "backoff": "100ms", **endpoint} for endpoint in self.endpoints_],
            env={"CANARY": WORD}, log={"level": "debug", "format": "json"},
            ingest={"bearer_token_file": self.file("ingest")},
            dead_letters={"dir": str(self.dead_letters())},
            admin={"bearer_token_file": self.file("admin"), "registry_metrics": True})

    def dead_letters(self):
        return self.directory / "dead-letters"

    def post(self, daemon, first):
        return fetch(daemon.ingest, "POST", "/events", numbered(first, 3),
                     (("Authorization", f"Bearer {WORD}"),))

    def answers(self, daemon):
        """Everything that the listeners say, with the status that it must have."""
        for path, status in (("/metrics", 200), ("/debug/vars", 200), ("/healthz", 200),
                             ("/readyz", 200), ("/v1/config", 200), ("/v1/endpoints", 200),
                             ("/v1/match", 405), ("/v1/dead-letters", 200), ("/nowhere", 404)):
            yield path, status, daemon.get(path)
        others = {"/nobody": 404, "/nobody/attempts": 404, "/disabled/attempts": 404}
        for name in [endpoint["name"] for endpoint in self.endpoints_] + ["nobody"]:
            for path in (f"/{name}", f"/{name}/attempts"):
                yield path, others.get(path, 200), daemon.get(f"/v1/endpoints{path}")
        for headers in ((), (("Authorization", "Bearer wrong"),)):
            yield "ingest", 401, fetch(daemon.ingest, "POST", "/events", b"{}", headers)
        yield "ingest", 400, fetch(daemon.ingest, "POST", "/events", b"{",
                                   (("Authorization", f"Bearer {WORD}"),))

    def assert_all_silent(self, daemon):
        for where, status, answer in self.answers(daemon):
            self.assertEqual(answer.status, status, where)
            self.assert_silent(where, answer.body.decode("utf-8", "replace"))
            self.assert_silent(where, str(answer.headers))
        for arguments in ((), ("--json",)):
            code, output, errors = self.run_fanfare(
                "status", "--url", f"http://{daemon.admin}", *arguments)
            self.assertEqual(code, 0, errors)
            self.assert_silent("status", output + errors)
        self.assert_silent("the log", daemon.text())
        files = [file for file in self.dead_letters().rglob("*") if file.is_file()]
        self.assertTrue(files)
        for file in files:
            self.assert_silent(file.name, file.read_bytes().decode("latin-1"))

    def test_secrets_reach_receivers_and_nobody_else(self):
        receiver = self.receiver()
        receiver.on("/token", lambda _: Answer(200, body=json.dumps(
            {"access_token": WORD, "token_type": "Bearer", "expires_in": 2}).encode()))
        daemon = self.start(receiver)
        self.assertEqual(self.post(daemon, 0).status, 202)
        for path in ("/bearer", "/oauth2", "/header"):
            self.assertEqual(receiver.wait_for(3, path)[0].header("Authorization"),
                             f"Bearer {WORD}")
        self.assertIn(WORD, base64.b64decode(
            receiver.wait_for(3, "/url")[0].header("Authorization").split()[1]).decode())
        self.assertIn(WORD, base64.b64decode(receiver.wait_for(3, PROXIED)[0]
                                             .header("Proxy-Authorization").split()[1]).decode())
        self.assert_all_silent(daemon)
        # Nor when all goes wrong.
        for endpoint in self.endpoints(receiver):
            receiver.on("/" + endpoint["name"], Answer(500, body=WORD.encode()))
        receiver.on(PROXIED, Answer(407, body=WORD.encode()))
        receiver.on("/token", Answer(400, body=b'{"error":"' + WORD.encode() + b'"}'))
        for name in ("signing", "client-secret", "bearer", "basic", "ingest", "admin"):
            self.file(name, f"{WORD} is\x01 bad")
        wait_until(lambda: self.post(daemon, 3).status in (202, 503)
                   and len(daemon.log_entries(level="warning")) >= 14, 15,
                   lambda: daemon.log_entries(level="warning"))
        wait_until(lambda: daemon.get("/v1/dead-letters").json()["dead_letters"])
        self.assert_all_silent(daemon)
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(daemon.stop(), 0)
        self.assert_silent("the log", daemon.text())

    def test_refused_files_are_silent(self):
        receiver = self.receiver()
        bad = f"{WORD} is\x01 bad"
        for number, endpoint in enumerate(self.endpoints(receiver)):
            for name in ("signing", "client-secret", "bearer", "basic"):
                self.file(name, bad)
            if not any(key in json.dumps(endpoint) for key in ("_file", '"file"')):
                continue
            daemon = self.daemon([endpoint], ready=False, env={"CANARY": WORD})
            daemon.expected_exit = 1
            self.assertEqual(daemon.wait(), 1, number)
            self.assertIn(str(self.directory), daemon.text())
            self.assert_silent(endpoint["name"], daemon.text())

    def check(self, text):
        file = self.directory / "checked.yaml"
        file.write_text(text)
        code, output, errors = self.run_fanfare("check", "-c", file, env={"CANARY": WORD})
        self.assert_silent(text, output + errors)
        return code

    def test_complaints_about_a_broken_configuration_are_silent(self):
        receiver = self.receiver()
        refused = 0
        for endpoint in self.endpoints(receiver):
            self.assertEqual(self.check(json.dumps({"endpoints": [endpoint]})), 0)
            for broken in variants(endpoint):
                refused += self.check(json.dumps({"endpoints": [broken]})) == 78
        self.assertGreater(refused, 60)

    def test_complaints_about_broken_yaml_are_silent(self):
        for line in (f"signing: {{secrets: [whsec_{WORD}", f"signing: {{secrets: [whsec_{WORD}}}",
                     f"signing: {{secrets: ['whsec_{WORD}]}}", f"headers: {{X: {WORD}: b}}",
                     f"headers: {{X: @{WORD}}}", f"headers: {{X: *{WORD[:8]}}}\n    b: [{WORD}",
                     f"headers:\n      X: {WORD}\n     Y: {WORD}", f"headers: {{X: \"\\q{WORD}\"}}",
                     f"signing: {{secrets: [${{whsec_{WORD}]}}",
                     f"signing: {{secrets: [\"${{whsec {WORD}}}\"]}}"):
            text = f"endpoints:\n  - name: a\n    url: http://a/\n    {line}\n"
            self.assertEqual(self.check(text), 78, text)


def variants(endpoint):
    """The endpoint with each text that holds a secret, or the path of one, in a wrong form."""
    for path, value in leaves(endpoint):
        if not any(mark in str(value) for mark in (WORD, "CANARY", "/signing", "-secret")) \
                and path[-1] not in ("token_file", "password_file"):
            continue
        secret = str(value).replace("${CANARY}", WORD).replace("CANARY", WORD)
        for wrong in ([secret], [[secret]], {"a": secret}, {secret: "a"}, secret + "\x01",
                      secret + "\n" + secret, None, 7, f"http://{secret}:x@h:y/", f"${{{secret}",
                      "whsk_" + WORD, "whpk_" + WORD, WORD[:10]):
            yield put(endpoint, path, wrong)
        if isinstance(path[-1], str):
            yield put(endpoint, (*path[:-1], path[-1] + "x"), secret)
    yield {**endpoint, "auth": WORD}
    yield {**endpoint, "signing": WORD}
    yield {**endpoint, "auth": [WORD]}


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def put(endpoint, path, value):
    changed = copy.deepcopy(endpoint)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed
