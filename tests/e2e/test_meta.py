"""Events of Fanfare's own, at endpoints that ask for them."""

import json
import signal

from harness.case import EndToEndCase
from harness.daemon import config_text
from harness.events import envelope, event, numbered
from harness.http import fetch
from harness.receiver import Answer
from harness.wait import stays_true, wait_until

ALL = [{"field": "/action", "op": "in", "value": ["@meta"]}]
ASKED = {"watch": False}
DISK = {"storage": "disk"}


class MetaCase(EndToEndCase):
    """An endpoint `pager` asks for all of them, and keeps what it gets by path /pager."""

    def setUp(self):
        super().setUp()
        self.sink = self.receiver()

    def pager(self, **settings):
        return {"name": "pager", "url": self.sink.url("/pager"), "match": ALL, **settings}

    def told(self, path="/pager"):
        """The events that came to an endpoint with envelopes, and were taken."""
        return [one for request in self.sink.received(path)
                if 200 <= request.answer.status < 300
                for one in json.loads(request.body)["events"]]

    def wait_told(self, *actions, path="/pager"):
        """Until exactly these have come in this order; returns the events."""
        wait_until(lambda: len(self.told(path)) >= len(actions),
                   what=lambda: f"{actions}, not {self.told(path)}")
        told = self.told(path)
        self.assertEqual([one["action"] for one in told], list(actions))
        return told

    def instance_of(self, told):
        self.assertEqual(len({one["instance"] for one in told}), 1)
        return told[0]["instance"]


class Endpoints(MetaCase):
    def down_and_up(self, **config):
        self.sink.on("/audit", Answer(status=500))
        audit = {"name": "audit", "url": self.sink.url("/audit"), "backoff": "20ms"}
        ordinary = {"name": "ordinary", "url": self.sink.url("/ordinary")}
        daemon = self.daemon([audit, ordinary, self.pager()], **config)
        daemon.post(numbered(0, 3))
        self.wait_told("endpoint.down")
        self.sink.on("/audit", Answer())
        self.wait_delivered(daemon, "audit")
        down, up = self.wait_told("endpoint.down", "endpoint.up")
        self.instance_of([down, up])
        for one in (down, up):
            self.assertRegex(one["id"], "^evt_[0-9A-Z]{26}$")
            self.assertRegex(one["timestamp"], r"^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual((one["source"], one["endpoint"]), ("meta", "audit"))
        self.assertEqual((down["failures"], down["error"]), (5, "status 500"))
        self.assertGreaterEqual(up["failures"], 5)
        self.assertGreaterEqual(up["down_seconds"], 0)
        self.assertEqual(self.sink.accepted_ids("/ordinary"), ["e0", "e1", "e2"])
        for kept in ("source=meta", "action=@meta"):
            records = daemon.get(f"/v1/events?{kept}").json()["events"]
            self.assertEqual([(record["source"], record["event"]) for record in records],
                             [("meta", down), ("meta", up)])
        return daemon

    def test_that_fail_are_down_and_then_up(self):
        daemon = self.down_and_up()
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_ingest_events_total"), 3)
        self.assertEqual(metrics.endpoint("meta_events_total", "pager"), 2)
        self.assertEqual(metrics.endpoint("ignored_events_total", "pager"), 3)
        for name in ("ordinary", "audit"):
            self.assertEqual(metrics.endpoint("meta_events_total", name), 0)
            self.assertEqual(metrics.endpoint("ignored_events_total", name), 0)
        self.assert_conserved(daemon)
        answer = daemon.post(envelope(event("next"))).json()
        self.assertEqual(answer["first_seq"], 6, "one counter for all")

    def test_with_queues_on_disk_are_down_and_then_up(self):
        self.down_and_up(queue={**DISK, "dir": str(self.directory / "queue")})

    def test_that_ask_and_fail_do_not_keep_each_other_busy(self):
        """The loop that must not be."""
        rules = [{"field": "/action", "op": "in", "value": ["@meta", "push"]}]
        self.sink.on("/a", Answer(status=500))
        self.sink.on("/b", Answer(status=500))
        daemon = self.daemon([{"name": name, "url": self.sink.url(f"/{name}"), "match": rules,
                               "backoff": "10ms"} for name in "ab"])
        daemon.post(numbered(0, 1))
        for name in "ab":
            wait_until(lambda name=name: daemon.pending(name) == 2)
            self.sink.wait_for(100, f"/{name}")
        self.assertEqual([daemon.pending(name) for name in "ab"], [2, 2])
        self.sink.on("/a", Answer())
        self.sink.on("/b", Answer())
        for name, other in ("ab", "ba"):
            told = self.wait_told("push", "endpoint.down", "endpoint.up", path=f"/{name}")
            self.assertEqual({one["endpoint"] for one in told[1:]}, {other})

    def test_that_give_events_up_say_so_once_a_minute(self):
        self.sink.on("/audit", Answer(status=410))
        audit = {"name": "audit", "url": self.sink.url("/audit"),
                 "retry": {"strategy": "exponential"}}
        daemon = self.daemon([audit, self.pager()])
        daemon.post(numbered(0, 5))
        wait_until(lambda: daemon.metrics().endpoint("dead_letters_total", "audit") == 5)
        [failed] = self.wait_told("delivery.failed")
        self.assertEqual({name: failed[name] for name in
                          ("endpoint", "event_id", "seq", "reason", "status", "error",
                           "attempts", "not_told")},
                         {"endpoint": "audit", "event_id": "e0", "seq": 1, "reason": "permanent",
                          "status": 410, "error": None, "attempts": 1, "not_told": 0})

    def test_get_what_their_format_makes_of_it(self):
        self.sink.on("/audit", Answer(status=500))
        audit = {"name": "audit", "url": self.sink.url("/audit")}
        pager = self.pager(format="cloudevents")
        text = {"name": "text", "url": self.sink.url("/text"), "format": "template",
                "match": [{"field": "source", "op": "in", "value": "meta"}],
                "template": {"text": "{{ /action }}: {{ /endpoint }}, {{ /error }}"}}
        daemon = self.daemon([audit, pager, text])
        daemon.post(numbered(0, 1))
        [request] = self.sink.wait_for(1, "/pager")
        body = json.loads(request.body)
        self.assertEqual((body["type"], body["source"], body["id"]),
                         ("fanfare.event.endpoint.down", "fanfare", body["data"]["id"]))
        self.assertEqual(body["time"], body["data"]["timestamp"])
        [request] = self.sink.wait_for(1, "/text")
        self.assertEqual(json.loads(request.body), {"text": "endpoint.down: audit, status 500"})


class Configurations(MetaCase):
    def test_are_told_to_be_reloaded_or_rejected_by_signal(self):
        other = {"name": "other", "url": self.sink.url("/other")}
        daemon = self.daemon([self.pager()], reload=ASKED)
        daemon.config_file.write_text(
            config_text({"reload": ASKED, "endpoints": [self.pager(), other]}))
        daemon.send_signal(signal.SIGHUP)
        [reloaded] = self.wait_told("config.reloaded")
        self.assertEqual((reloaded["added"], reloaded["changed"], reloaded["removed"],
                          reloaded["unchanged"]), (["other"], [], [], 1))
        daemon.config_file.write_text(
            "endpoints:\n  - {name: a, url: 'ftp://user:s3cr3t@a/'}\n  - {name: b}\n")
        daemon.send_signal(signal.SIGHUP)
        rejected = self.wait_told("config.reloaded", "config.rejected")[1]
        self.assertEqual(rejected["problems"], 2)
        self.assertTrue(rejected["errors"][0].startswith(f"{daemon.config_file}:2:"), rejected)
        self.assertNotIn("s3cr3t", json.dumps(rejected))
        self.assertEqual(rejected["hash"], reloaded["hash"])
        self.instance_of([reloaded, rejected])
        metrics = daemon.metrics()
        self.assertEqual(metrics.value("fanfare_ingest_events_total"), 0)
        self.assertEqual(metrics.endpoint("events_total", "other"), 0)
        self.assert_conserved(daemon)

    def test_that_are_unchanged_are_told_only_to_a_signal(self):
        daemon = self.daemon([self.pager()], reload=ASKED)
        answer = fetch(daemon.admin, "POST", "/-/reload", b"", ())
        self.assertEqual(answer.json()["result"], "noop")
        daemon.send_signal(signal.SIGHUP)
        self.wait_told("config.reloaded")

    def test_say_at_once_who_is_told_and_when_an_endpoint_is_down(self):
        self.sink.on("/audit", Answer(status=500))
        audit = {"name": "audit", "url": self.sink.url("/audit"), "backoff": "20ms"}
        endpoints = [audit, self.pager()]
        daemon = self.daemon(endpoints, reload=ASKED, meta={"enabled": False, "down_after": 1000})
        daemon.post(numbered(0, 1))
        self.sink.wait_for(30, "/audit")
        self.assertEqual(daemon.metrics().endpoint("up", "audit"), 1)
        daemon.config_file.write_text(config_text(
            {"reload": ASKED, "meta": {"enabled": False, "down_after": 2},
             "endpoints": endpoints}))
        self.assertEqual(fetch(daemon.admin, "POST", "/-/reload", b"", ()).json()["result"], "ok")
        self.assertEqual(daemon.metrics().endpoint("up", "audit"), 0)
        count = self.sink.count("/audit")
        self.sink.wait_for(count + 5, "/audit")
        self.assertTrue(stays_true(lambda: not self.told(), 0.2))
        daemon.config_file.write_text(config_text({"reload": ASKED, "endpoints": endpoints}))
        answer = fetch(daemon.admin, "POST", "/-/reload", b"", ()).json()
        self.assertEqual(answer["needs_restart"], [])
        told = {one["action"] for one in self.wait_two()}
        self.assertEqual(told, {"config.reloaded", "endpoint.down"})

    def wait_two(self):
        wait_until(lambda: len(self.told()) == 2)
        return self.told()
