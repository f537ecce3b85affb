"""The queue on NATS servers that ask who is there, and that have to prove who they are."""

import json

from harness.certificates import Authority
from harness.nats_identity import Operator, secrets_of
from harness.nats_security_case import SecurityCase
from harness.process import require_program
from harness.wait import wait_until

WRONG = "CaNaRy-wrong"
RIGHT = "CaNaRy-right"


class Tls(SecurityCase):
    def setUp(self):
        require_program("openssl")
        super().setUp()
        self.ours, self.theirs = self.authority("ours"), self.authority("theirs")

    def authority(self, name):
        folder = self.directory / name
        folder.mkdir()
        return Authority(folder)

    def serve_tls(self, authority, names="DNS:localhost,IP:127.0.0.1", **more):
        certificate, key = authority.issue("server", names)
        return self.serve(tls={"cert_file": str(certificate), "key_file": str(key), **more})

    def ask_of_clients(self):
        """Keys of a server that takes those alone for whom our authority vouches."""
        return {"ca_file": str(self.ours.file), "verify": True}

    def trust(self, authority, issuer=None):
        """`issuer`: of a client certificate of ours."""
        keys = {"ca_file": str(authority.file)}
        if issuer is not None:
            certificate, key = issuer.issue("client")
            keys.update(cert_file=str(certificate), key_file=str(key))
        return keys

    def test_delivers_by_a_server_that_the_authority_vouches_for(self):
        self.serve_tls(self.ours)
        for number, url in enumerate((f"tls://localhost:{self.nats.port}",
                                      f"nats://localhost:{self.nats.port}")):
            self.start(servers=[url], tls=self.trust(self.ours))
            self.assert_delivers(f"e{number}")
        connections = self.nats.monitor("/connz")["connections"]
        self.assertEqual([bool(one.get("tls_version")) for one in connections], [True, True])

    def test_a_server_may_be_known_by_its_address(self):
        self.serve_tls(self.ours, "IP:127.0.0.1")
        self.start(tls=self.trust(self.ours))
        self.assert_delivers("e1")

    def test_a_server_of_another_authority_is_refused_until_it_has_another_certificate(self):
        self.serve_tls(self.theirs)
        self.start_unready(tls=self.trust(self.ours))
        self.assert_refused()
        self.serve_tls(self.ours)
        self.wait_ready()
        self.assert_delivers("e1")
        self.assert_told("certificate")

    def test_without_a_ca_file_the_authorities_of_the_system_count(self):
        self.serve_tls(self.ours)
        self.start_unready(servers=[f"tls://localhost:{self.nats.port}"])
        self.assert_refused()
        self.assert_told("certificate", server=f"localhost:{self.nats.port}")

    def test_a_server_of_another_name_is_refused(self):
        self.serve_tls(self.ours, "DNS:elsewhere.example")
        self.start_unready(servers=[f"tls://localhost:{self.nats.port}"],
                           tls=self.trust(self.ours))
        self.assert_refused()
        self.assert_told("hostname mismatch", server=f"localhost:{self.nats.port}")

    def test_a_server_of_another_address_is_refused(self):
        self.serve_tls(self.ours, "IP:127.0.0.2")
        self.start_unready(tls=self.trust(self.ours))
        self.assert_refused()
        self.assert_told("address mismatch", "hostname mismatch")

    def test_without_verification_any_server_does_and_that_is_warned_of(self):
        self.serve_tls(self.theirs, "DNS:elsewhere.example")
        self.start(tls={"insecure_skip_verify": True})
        self.assert_delivers("e1")
        self.assertTrue([one for one in self.fanfare.log_entries(level="warning")
                         if "certificate" in one["msg"]], self.fanfare.text())

    def test_nothing_is_said_in_the_clear_to_a_server_without_tls(self):
        self.serve()
        self.start_unready(tls=self.trust(self.ours))
        self.assert_refused()
        self.assert_told("secure", "tls")

    def test_a_certificate_is_shown_to_a_server_that_asks_for_it(self):
        self.serve_tls(self.ours, **self.ask_of_clients())
        self.start(tls=self.trust(self.ours, self.ours))
        self.assert_delivers("e1")

    def test_without_a_certificate_such_a_server_refuses(self):
        self.serve_tls(self.ours, **self.ask_of_clients())
        self.start_unready(tls=self.trust(self.ours))
        self.assert_refused()
        # TLS 1.3 has no word for it before the connection seems to be there.
        self.assert_told("certificate", "ssl", "protocol error")

    def test_with_a_certificate_of_another_authority_such_a_server_refuses(self):
        self.serve_tls(self.ours, **self.ask_of_clients())
        self.start_unready(tls=self.trust(self.ours, self.theirs))
        self.assert_refused()
        self.assert_told("certificate", "ssl", "protocol error", takes_turns=True)

    def test_a_file_that_comes_later_is_read_then(self):
        self.serve_tls(self.ours)
        later = self.directory / "later.pem"
        self.start_unready(tls={"ca_file": str(later)})
        self.assertEqual(self.try_post("refused"), 503)
        wait_until(lambda: self.fanfare.log_entries(component="nats", level="warning"), 10,
                   "a warning")
        later.write_bytes(self.ours.file.read_bytes())
        self.wait_ready()
        self.assert_delivers("e1")
        self.assert_told(str(later))

    def test_another_authority_in_mid_run_is_refused_until_the_file_names_it(self):
        file = self.directory / "roots.pem"
        file.write_bytes(self.ours.file.read_bytes())
        self.serve_tls(self.ours)
        self.start(tls={"ca_file": str(file)})
        self.assert_delivers("before")
        self.serve_tls(self.theirs)
        self.wait_attempts()
        self.wait_ready(503)
        self.assertEqual(self.try_post("refused"), 503)
        file.write_bytes(self.theirs.file.read_bytes())
        self.wait_ready()
        self.assert_delivers("after")
        self.assert_told("certificate")


class Password(SecurityCase):
    def serve_password(self, password):
        return self.serve(authorization={"user": "fanfare", "password": password})

    def urls_with(self, password):
        return [f"nats://fanfare:{password}@{self.nats.address}"]

    def assert_delivers_with(self, password):
        self.serve_password(password)
        self.start(servers=self.urls_with(password))
        self.assert_delivers(f"e{len(self.target.accepted_ids('/audit'))}")
        self.assert_silent(password)
        self.assertEqual(self.fanfare.get("/v1/config").json()["queue"]["servers"],
                         [self.nats.url])

    def test_the_right_one_does(self):
        self.assert_delivers_with(RIGHT)

    def test_letters_that_mean_something_in_a_url(self):
        self.assert_delivers_with("CaNaRy@:%40&=+[")

    def test_letters_that_cannot_be_sent_are_refused_without_showing_them(self):
        file = self.directory / "refused.yaml"
        for password in ("CaNaRy#1", "CaNaRy?1", 'CaNaRy"1', "CaNaRy\\1"):
            with self.subTest(password):
                self.serve_password(RIGHT)
                file.write_text(json.dumps(
                    {"queue": self.queue(servers=self.urls_with(password)), "endpoints": []}))
                code, output, errors = self.run_fanfare("check", "-c", file)
                self.assertNotEqual(code, 0)
                self.assertIn("cannot be sent", output + errors)
                self.assertNotIn("CaNaRy", output + errors)

    def test_the_wrong_one_is_refused_until_the_server_takes_it(self):
        self.serve_password(RIGHT)
        self.start_unready(servers=self.urls_with(WRONG))
        self.assert_refused()
        self.assert_silent(WRONG)
        self.serve_password(WRONG)
        self.wait_ready()
        self.assert_delivers("e1")
        self.assert_silent(WRONG)
        self.assert_told("authorization")

    def test_none_is_refused(self):
        self.serve_password(RIGHT)
        self.start_unready()
        self.assert_refused()
        self.assert_told("authorization")

    def test_refused_in_mid_run_and_taken_again(self):
        self.serve_password(WRONG)
        self.start(servers=self.urls_with(WRONG))
        self.assert_delivers("before")
        self.serve_password(RIGHT)
        self.wait_attempts()
        self.wait_ready(503)
        self.assertEqual(self.try_post("refused"), 503)
        self.assert_silent(WRONG)
        self.serve_password(WRONG)
        self.wait_ready()
        self.assert_delivers("after")
        self.assert_told("authorization")

    def test_a_reload_cannot_change_it_and_does_not_show_it(self):
        self.serve_password(RIGHT)
        self.start(servers=self.urls_with(RIGHT))
        queue = json.loads(self.fanfare.config_file.read_text())["queue"]
        answer = self.reload(self.fanfare, 200, queue={**queue, "servers": self.urls_with(WRONG)})
        self.assertNotIn(WRONG, json.dumps(answer))
        self.assert_silent(RIGHT, WRONG)
        self.assert_delivers("e1")

    def test_a_token_is_not_shown_either(self):
        self.serve(authorization={"token": RIGHT})
        self.start(servers=[f"nats://{RIGHT}@{self.nats.address}"])
        self.assert_delivers("e1")
        self.assert_silent(RIGHT)

    def test_the_check_does_not_repeat_it(self):
        file = self.directory / "checked.yaml"
        for server in (f"nats://fanfare:{WRONG}@", f"nats://fanfare:{WRONG}@host:port",
                       f"http://fanfare:{WRONG}@host", f"nats://fanfare:{WRONG} @host",
                       f"nats://fanfare:{WRONG}@host"):
            file.write_text(json.dumps({"queue": self.queue(servers=[server, 1]),
                                        "endpoints": []}))
            _, output, errors = self.run_fanfare("check", "-c", file)
            self.assertNotIn(WRONG, output + errors)


class Credentials(SecurityCase):
    def setUp(self):
        require_program("openssl")
        super().setUp()
        self.operator = Operator(self.directory)
        self.account = self.operator.account()
        self.file = self.directory / "user.creds"
        self.shown = []

    def serve_accounts(self, *accounts):
        return self.serve(**self.operator.server_keys(*accounts))

    def show(self, credentials):
        """Replaces the file as a secret's mount does: at once."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(credentials)
        fresh.rename(self.file)
        self.shown += secrets_of(credentials)

    def queue(self, **more):
        if self.file is not None:
            more = {"credentials_file": str(self.file), **more}
        return super().queue(**more)

    def test_delivers_for_a_user_of_the_account(self):
        self.serve_accounts(self.account)
        self.show(self.account.user())
        self.start()
        self.assert_delivers("e1")
        self.assert_silent(*self.shown)
        [connection] = self.nats.monitor("/connz?auth=1")["connections"]
        self.assertEqual(connection["account"], self.account.public)

    def test_a_user_of_an_unknown_account_is_refused_until_the_file_is_replaced(self):
        self.serve_accounts(self.account)
        self.show(self.operator.account().user())
        self.start_unready()
        self.assert_refused()
        self.assert_silent(*self.shown)
        self.show(self.account.user())
        self.wait_ready()
        self.assert_delivers("e1")
        self.assert_silent(*self.shown)
        self.assert_told("authorization")

    def test_without_a_file_it_is_refused(self):
        self.serve_accounts(self.account)
        self.file = None
        self.start_unready()
        self.assert_refused()
        self.assert_told("authorization")

    def test_a_file_that_comes_later_is_read_then(self):
        self.serve_accounts(self.account)
        self.start_unready()
        self.assert_refused()
        self.show(self.account.user())
        self.wait_ready()
        self.assert_delivers("e1")
        self.assert_told(str(self.file))

    def test_a_file_with_nothing_of_use_in_it(self):
        self.serve_accounts(self.account)
        self.file.write_text("# CaNaRy\n")
        self.start_unready()
        self.assert_refused()
        self.assert_silent("CaNaRy")
        self.assert_told(str(self.file))

    def test_goes_on_with_another_file_when_the_user_expires(self):
        self.serve_accounts(self.account)
        self.show(self.account.user(expires_in=4))
        self.start()
        self.assert_delivers("before")
        before = self.attempts()
        self.show(self.account.user())
        wait_until(lambda: self.attempts() > before, 30, "another connection")
        self.wait_ready()
        self.assert_delivers("after")
        self.assertEqual(len(self.nats.monitor("/connz")["connections"]), 1)
        self.assert_silent(*self.shown)

    def test_an_expired_user_is_refused_until_the_file_is_replaced(self):
        self.serve_accounts(self.account)
        self.show(self.account.user(expires_in=3))
        self.start()
        self.assert_delivers("before")
        self.wait_ready(503)
        self.wait_attempts()
        self.assertEqual(self.try_post("refused"), 503)
        self.show(self.account.user())
        self.wait_ready()
        self.assert_delivers("after")
        self.assert_told("expired", "authorization")

    def test_an_account_without_streams(self):
        poor = self.operator.account(jetstream=False)
        self.serve_accounts(poor)
        self.show(poor.user())
        self.start_unready()
        wait_until(lambda: self.fanfare.log_entries(component="nats", msg="connected"), 10,
                   "a connection")
        self.assertEqual(self.try_post("refused"), 503)
        self.assertEqual(self.fanfare.get("/readyz").status, 503)
        wait_until(lambda: "JetStream" in self.fanfare.text(), 10, self.fanfare.text)

    def test_a_user_who_may_not_make_streams(self):
        self.serve_accounts(self.account)
        self.show(self.account.user(denied=["$JS.API.STREAM.CREATE.>"]))
        self.start_unready()
        wait_until(lambda: self.fanfare.log_entries(component="nats", msg="connected"), 10,
                   "a connection")
        self.assertEqual(self.try_post("refused"), 503)
        self.assertEqual(self.fanfare.get("/readyz").status, 503)
        wait_until(lambda: "Permissions Violation" in self.fanfare.text(), 10, self.fanfare.text)
