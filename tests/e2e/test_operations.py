"""What operators do: dead letters, pause and resume, tests, questions about filters."""

import json
import os
import re

from harness.case import EndToEndCase
from harness.events import envelope, event, ids, numbered, payload_slices
from harness.http import fetch
from harness.process import free_port
from harness.receiver import Answer
from harness.wait import wait_until


class OperationsCase(EndToEndCase):
    def command(self, *arguments, stdin=None):
        return self.run_fanfare(*arguments, "--url", f"http://{self.fanfare.admin}", stdin=stdin)

    def succeed(self, *arguments, stdin=None):
        """Its output, when it must go well and say nothing on stderr."""
        code, output, errors = self.command(*arguments, stdin=stdin)
        self.assertEqual((code, errors), (0, ""))
        return output

    def fail_with(self, pattern, *arguments, code=1):
        found, _, errors = self.command(*arguments)
        self.assertEqual(found, code)
        self.assertRegex(errors, rf"^fanfare: error: .*{pattern}.*\n$")

    def start(self, receiver, **config):
        config.setdefault("dead_letters", {"dir": str(self.directory / "letters")})
        config.setdefault("shutdown", {"drain": "500ms"})
        self.fanfare = self.daemon([
            {"name": "strict", "url": receiver.url("/strict"), "retry": {"permanent": [422]},
             "queue": {"max_bytes": 0}},
            {"name": "other", "url": receiver.url("/other")},
            {"name": "off", "url": receiver.url("/off"), "disabled": True}], **config)
        return self.fanfare

    def kept(self):
        return self.fanfare.metrics().value("fanfare_dead_letters_kept_events")

    def wait_kept(self, count):
        wait_until(lambda: self.kept() == count, 15, lambda: f"{count} kept: {self.kept()}")


class DeadLetters(OperationsCase):
    def give_up(self, count):
        """The receiver refuses all for good at one endpoint."""
        self.target = self.receiver()
        self.target.on("/strict", Answer(422))
        self.start(self.target)
        self.fanfare.post(numbered(0, count))
        self.wait_kept(count)

    def test_listed_and_shown(self):
        self.give_up(3)
        rows = [line.split() for line in self.succeed("dead-letters", "ls").splitlines()]
        self.assertEqual([row[0] for row in rows], ["ID", "1", "2", "3"])
        self.assertEqual(rows[1][1], "strict")
        self.assertIn("422", rows[1])
        self.assertIn("permanent", rows[1])
        self.assertEqual(rows[1][-1], "e0")
        letters = json.loads(self.succeed("dead-letters", "ls", "--json"))
        self.assertEqual([letter["event_id"] for letter in letters["dead_letters"]], ids(0, 3))
        self.assertIsNone(letters["next"])
        self.assertIn("e1", self.succeed("dead-letters", "show", "2"))
        sent = json.dumps(event("e1")).encode()
        payload = self.succeed("dead-letters", "show", "2", "--payload")
        self.assertEqual(payload.encode(), sent + b"\n")
        letter = json.loads(self.succeed("dead-letters", "show", "2", "--json"))
        self.assertEqual(letter["payload"], event("e1"))
        self.assertEqual(letter["attempts"], 1)

    def test_filtered_and_paged(self):
        self.give_up(5)
        self.assertIn("strict", self.succeed("dead-letters", "ls", "--endpoint", "strict",
                                             "--reason", "permanent", "--since", "1h"))
        for filters in (("--endpoint", "other"), ("--reason", "gone"),
                        ("--since", "2100-01-01T00:00:00Z")):
            self.assertNotIn("e0", self.succeed("dead-letters", "ls", *filters), filters)
        code, output, errors = self.command("dead-letters", "ls", "--limit", "2")
        self.assertEqual((code, len(output.splitlines())), (0, 3))
        self.assertIn("there are more", errors)
        page = self.fanfare.get("/v1/dead-letters?limit=2").json()
        rest = self.fanfare.get(f"/v1/dead-letters?limit=100&next={page['next']}").json()
        self.assertEqual([letter["id"] for letter in rest["dead_letters"]], [3, 4, 5])

    def test_replayed_once_the_receiver_has_mended(self):
        self.give_up(250)
        self.target.on("/strict", Answer(200))
        self.assertEqual(self.succeed("replay", "--endpoint", "strict"), "replayed 250 events\n")
        self.wait_delivered(self.fanfare, "strict")
        self.wait_kept(0)
        delivered = self.target.received("/strict")[250:]
        self.assertEqual([request.header("webhook-id") for request in delivered], ids(0, 250))
        self.assertEqual(payload_slices(delivered[0].body), payload_slices(envelope(event("e0"))))

    def test_that_die_again_are_replayed_once(self):
        self.give_up(20)
        self.assertEqual(self.succeed("replay", "--all"), "replayed 20 events\n")
        wait_until(lambda: self.letters()[0]["id"] == 21, 10, lambda: self.letters())
        self.assertEqual([letter["event_id"] for letter in self.letters()], ids(0, 20))

    def test_are_not_lost_by_a_stop_or_a_kill_before_their_replay_has_come_to_an_end(self):
        self.give_up(20)
        for end in (self.fanfare.stop, self.kill):
            self.succeed("pause", "strict")
            self.assertEqual(self.succeed("replay", "--all"), "replayed 20 events\n")
            self.assertEqual(self.succeed("replay", "--all"), "replayed 0 events\n")
            self.assertEqual(self.succeed("dead-letters", "purge", "--all"),
                             "purged 0 dead letters\n")
            end()
            self.start(self.target)
            self.assertEqual(self.kept(), 20)
        self.target.on("/strict", Answer(200))
        self.succeed("replay", "--all")
        self.wait_kept(0)

    def letters(self):
        return self.fanfare.get("/v1/dead-letters?limit=1000").json()["dead_letters"]

    def kill(self):
        self.fanfare.expected_exit = None
        self.fanfare.kill()

    def test_single_ones_replayed_and_purged(self):
        self.give_up(4)
        self.target.on("/strict", Answer(200))
        self.assertEqual(self.succeed("dead-letters", "replay", "2", "3"), "replayed 2 events\n")
        self.wait_kept(2)
        self.assertEqual(self.succeed("dead-letters", "purge", "1"), "purged 1 dead letter\n")
        self.fail_with("NAME_UNKNOWN", "dead-letters", "replay", "2")
        self.fail_with("NAME_UNKNOWN", "dead-letters", "purge", "2")
        self.fail_with("NAME_UNKNOWN", "dead-letters", "show", "2")
        self.assertEqual(self.succeed("dead-letters", "purge", "--all"), "purged 1 dead letter\n")
        self.assertEqual(self.kept(), 0)

    def test_survive_a_restart_and_the_loss_of_their_endpoint(self):
        self.give_up(3)
        self.assertEqual(self.fanfare.stop(), 0)
        other = self.receiver()
        self.fanfare = self.daemon([{"name": "new", "url": other.url("/")}],
                                   dead_letters={"dir": str(self.directory / "letters")})
        self.assertEqual(self.kept(), 3)
        self.fail_with("3 events not replayed", "replay", "--all")
        self.assertEqual(self.kept(), 3)

    def test_survive_a_kill(self):
        self.give_up(3)
        self.kill()
        self.start(self.target)
        self.assertEqual(self.kept(), 3)

    def test_what_is_to_be_changed_must_be_said(self):
        self.give_up(1)
        for command in (("replay",), ("dead-letters", "purge"),
                        ("dead-letters", "purge", "--all", "1")):
            self.fail_with("not clear", *command, code=2)
        for command in (("ls", "--limit", "-1"), ("show", "0"), ("replay", "0"), ("purge", "x")):
            self.fail_with("", "dead-letters", *command, code=2)
        self.assertEqual(self.kept(), 1)

    def test_endpoints_that_nobody_knows_are_told(self):
        self.give_up(1)
        for command in (("replay",), ("dead-letters", "ls"), ("dead-letters", "purge")):
            self.fail_with("NAME_UNKNOWN", *command, "--endpoint", "typo")
        self.assertEqual(self.kept(), 1)

    def test_filters_in_a_body_are_refused(self):
        self.give_up(1)
        for method, path in (("POST", "/v1/dead-letters/replay"), ("DELETE", "/v1/dead-letters")):
            answer = fetch(self.fanfare.admin, method, path, b'{"endpoint":"other"}')
            self.assertEqual((answer.status, answer.error_codes()), (400, ["BODY_UNEXPECTED"]))
        self.assertEqual(self.kept(), 1)

    def test_many_are_listed_and_replayed_page_by_page(self):
        count = 2100
        self.give_up(count)
        listed = self.succeed("dead-letters", "ls", "--limit", "0", "--json")
        letters = json.loads(listed)["dead_letters"]
        self.assertEqual([letter["event_id"] for letter in letters], ids(0, count))
        limited = json.loads(self.succeed("dead-letters", "ls", "--limit", "1500", "--json"))
        self.assertEqual(len(limited["dead_letters"]), 1500)
        self.target.on("/strict", Answer(200))
        self.assertEqual(self.succeed("replay", "--all"), f"replayed {count} events\n")
        self.wait_delivered(self.fanfare, "strict")
        delivered = self.target.received("/strict")[count:]
        self.assertEqual([request.header("webhook-id") for request in delivered], ids(0, count))

    def test_replay_stops_while_there_is_no_room(self):
        receiver = self.receiver()
        receiver.on("/strict", Answer(422))
        self.start(receiver, queue={"max_bytes": "64KiB"})
        events = [event(f"e{i}", padding="x" * 2000) for i in range(20)]
        for kept in (20, 40, 60, 80):
            # Refused as long as memory is used by those before.
            wait_until(lambda: self.fanfare.post(events, "application/json").status == 202)
            self.wait_kept(kept)
        self.wait_delivered(self.fanfare, "other")
        self.succeed("pause", "strict")
        code, output, errors = self.command("replay", "--all")
        self.assertEqual(code, 1)
        replayed = int(re.fullmatch(r"replayed (\d+) events\n", output)[1])
        self.assertTrue(10 < replayed < 30, replayed)
        self.assertIn("memory for events is nearly used up", errors)
        self.assertEqual(self.kept(), 80)
        answer = fetch(self.fanfare.admin, "POST", "/v1/dead-letters/replay").json()
        self.assertEqual((answer["replayed"], answer["stopped"]), (0, "budget"))
        self.succeed("resume", "strict")

    def test_parameters_are_checked(self):
        self.give_up(1)
        for query in ("reason=odd", "limit=0", "limit=1001", "since=never", "id=x", "color=red",
                      "next=x", "limit=1&limit=2"):
            answer = self.fanfare.get(f"/v1/dead-letters?{query}")
            self.assertEqual((answer.status, answer.error_codes()), (400, ["INVALID_PARAMETER"]),
                             query)

    def test_folder_is_for_one_process(self):
        self.give_up(1)
        second = self.daemon([], ready=False,
                             dead_letters={"dir": str(self.directory / "letters")})
        second.expected_exit = None
        self.assertEqual(second.wait(), 1)
        self.assertIn("is in use by another process", second.text())

    def test_without_a_folder_they_are_not_kept(self):
        receiver = self.receiver()
        receiver.on("/strict", Answer(422))
        self.start(receiver, dead_letters={})
        self.fanfare.post(numbered(0, 1))
        self.wait_delivered(self.fanfare, "strict")
        self.fail_with("DEAD_LETTERS_DISABLED", "dead-letters", "ls")


class Actions(OperationsCase):
    def test_pause_holds_and_resume_delivers(self):
        receiver = self.receiver()
        self.start(receiver)
        self.assertEqual(self.succeed("pause", "strict"), "paused strict\n")
        self.fanfare.post(numbered(0, 3))
        self.wait_delivered(self.fanfare, "other")
        self.assertEqual(self.fanfare.metrics().endpoint("paused", "strict"), 1)
        self.assertEqual(self.fanfare.pending("strict"), 3)
        self.assertRegex(self.succeed("status"), r"strict +paused +3")
        self.assertEqual(self.succeed("resume", "strict"), "resumed strict\n")
        self.wait_delivered(self.fanfare, "strict")
        self.assertEqual(self.fanfare.metrics().endpoint("successes_total", "strict"), 3)

    def test_purge_empties_a_queue(self):
        self.start(self.receiver())
        self.succeed("pause", "strict")
        self.fanfare.post(numbered(0, 3))
        wait_until(lambda: self.fanfare.pending("strict") == 3)
        answer = fetch(self.fanfare.admin, "POST", "/v1/endpoints/strict/purge")
        self.assertEqual(answer.json(), {"purged": 3})
        self.assertEqual(self.fanfare.pending("strict"), 0)

    def test_test_goes_past_the_queue_and_tells_the_result(self):
        receiver = self.receiver()
        receiver.on("/other", Answer(503))
        self.start(receiver)
        self.succeed("pause", "strict")
        self.fanfare.post(numbered(0, 1))
        self.assertRegex(self.succeed("test", "strict"), r"^strict answered 200 in \d+ ms\n$")
        self.fail_with("other answered 503", "test", "other")
        pings = receiver.received("/strict")
        self.assertEqual(len(pings), 1)
        self.assertEqual(json.loads(pings[0].body)["events"][0]["action"], "ping")
        self.assertEqual(self.fanfare.pending("strict"), 1)
        self.succeed("resume", "strict")

    def test_attempts_are_listed_newest_first(self):
        receiver = self.receiver()
        receiver.script("/strict", [Answer(500)])
        self.start(receiver)
        self.fanfare.post(numbered(0, 1))
        self.wait_delivered(self.fanfare, "strict")
        attempts = self.fanfare.get("/v1/endpoints/strict/attempts").json()["attempts"]
        self.assertEqual([(a["event_id"], a["attempt"], a["status"]) for a in attempts],
                         [("e0", 2, 200), ("e0", 1, 500)])
        limited = self.fanfare.get("/v1/endpoints/strict/attempts?limit=1").json()["attempts"]
        self.assertEqual(limited, attempts[:1])

    def test_unknown_and_disabled_endpoints(self):
        self.start(self.receiver())
        for command in ("pause", "resume", "test"):
            self.fail_with("NAME_UNKNOWN", command, "nobody")
            self.fail_with("ENDPOINT_DISABLED", command, "off")
        self.fail_with("NAME is required", "pause", code=2)

    def test_other_sites_change_nothing(self):
        self.start(self.receiver())
        answer = fetch(self.fanfare.admin, "POST", "/v1/endpoints/strict/pause",
                       headers=(("Origin", "http://evil.example"),))
        self.assertEqual((answer.status, answer.error_codes()), (403, ["CROSS_SITE"]))
        self.assertEqual(self.fanfare.metrics().endpoint("paused", "strict"), 0)

    def test_no_daemon_is_exit_1(self):
        url = f"http://127.0.0.1:{free_port()}"
        for command in (("pause", "a"), ("dead-letters", "ls"), ("replay", "--all"), ("match",)):
            code, output, errors = self.run_fanfare(*command, "--url", url)
            self.assertEqual((code, output), (1, ""))
            self.assertRegex(errors, r"^fanfare: error: .*\n$")


class Match(OperationsCase):
    def start_picky(self):
        self.fanfare = self.daemon([
            {"name": "all", "url": "http://127.0.0.1:1/"},
            {"name": "pulls", "url": "http://127.0.0.1:1/", "match": [
                {"field": "/action", "op": "in", "value": ["pull"]}]}])

    def test_says_who_would_take_an_event_and_why_not(self):
        self.start_picky()
        output = self.succeed("match", "-", stdin=json.dumps(event("e1")).encode())
        self.assertRegex(output, r"e1 +all +yes")
        self.assertRegex(output, r"pulls +no +match\[0\] .* /action is \"push\"")
        self.assertEqual(self.fanfare.metrics().value("fanfare_ingest_events_total"), 0)

    def test_json_and_the_sample(self):
        self.start_picky()
        matches = json.loads(self.succeed("match", "--json"))["matches"]
        self.assertEqual([e["takes"] for e in matches[0]["endpoints"]], [True, False])

    def test_what_is_no_event_is_refused(self):
        self.start_picky()
        code, _, errors = self.command("match", "-", stdin=b"{")
        self.assertEqual(code, 1)
        self.assertIn("BODY_INVALID", errors)


class Secrets(OperationsCase):
    def test_path_of_a_url_from_a_variable_is_not_shown(self):
        canary = "c4n4ry"
        daemon = self.daemon([{"name": "chat", "url": "${HOOK}"}],
                             env={**os.environ, "HOOK": f"http://127.0.0.1:1/services/{canary}"})
        for path in ("/v1/config", "/v1/endpoints", "/debug/vars"):
            text = daemon.get(path).body.decode()
            self.assertNotIn(canary, text, path)
            self.assertIn("http://127.0.0.1:1/…", text, path)

    def test_configuration_is_shown_without_them(self):
        canary = "c4n4ry"
        token = self.directory / "token"
        token.write_text(canary)
        daemon = self.daemon(
            [{"name": "a", "url": f"http://{canary}:{canary}@127.0.0.1:1/?key={canary}",
              "headers": {"Authorization": f"Bearer {canary}"}}],
            admin={"bearer_token_file": str(token)})
        for path in ("/v1/config", "/v1/endpoints", "/debug/vars"):
            answer = daemon.get(path)
            self.assertEqual(answer.status, 200)
            self.assertNotIn(canary, answer.body.decode(), path)
        config = daemon.get("/v1/config").json()
        self.assertEqual(config["endpoints"][0]["headers"], {"Authorization": "<redacted>"})
        self.assertEqual(config["admin"]["bearer_token_file"], str(token))
