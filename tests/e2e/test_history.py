"""What has come: the history, its pages, and what became of an event."""

import json
import threading
import time

from harness.events import envelope, event
from harness.events_case import EventsCase
from harness.http import Connection, fetch, open_socket
from harness.receiver import Answer
from harness.wait import stays_true, wait_until


class HistoryCase(EventsCase):
    def start(self, endpoints=None, **config):
        if endpoints is None:
            endpoints = [{"name": "audit", "url": self.receiver().url("/audit")}]
        self.fanfare = self.daemon(endpoints, **config)
        return self.fanfare

    def get(self, target):
        answer = self.fanfare.get(f"{target}")
        return answer.status, json.loads(answer.body)

    def list(self, query=""):
        status, body = self.get("/v1/events" + (f"?{query}" if query else ""))
        self.assertEqual(status, 200, body)
        return body

    def seqs(self, query=""):
        return [record["seq"] for record in self.list(query)["events"]]


class Ring(HistoryCase):
    def test_empty(self):  # H1
        self.start()
        self.assertEqual({key: self.list()[key] for key in
                          ("status", "lowest", "highest", "next", "events", "dropped_total")},
                         {"status": "up_to_date", "lowest": 1, "highest": 0, "next": 1,
                          "events": [], "dropped_total": 0})

    def test_pages(self):  # H2, H3
        self.start(history={"capacity": 20})
        self.post(10)
        body = self.list("start=6")
        self.assertEqual([record["seq"] for record in body["events"]], [6, 7, 8, 9, 10])
        self.assertEqual((body["status"], body["next_start"]), ("ok", 11))
        self.assertEqual(self.seqs("start=6&count=3"), [6, 7, 8])
        self.assertEqual(self.list("start=6&count=3")["next_start"], 9)

    def test_a_ring_that_has_wrapped(self):  # H4, H5, H7
        self.start(history={"capacity": 20})
        self.post(25)
        self.assertEqual(self.seqs("start=9&count=3"), [9, 10, 11])
        self.assertEqual(self.seqs("start=6&count=1"), [6])
        self.assertEqual(self.seqs("start=19&count=1"), [19])
        self.assertEqual(self.seqs("start=19&count=2"), [19, 20])
        self.assertEqual(self.seqs("start=19&count=5"), [19, 20, 21, 22, 23])
        evicted = self.list("start=5")
        self.assertEqual((evicted["status"], evicted["missed"], evicted["events"],
                          evicted["next_start"], evicted["lowest"], evicted["dropped_total"]),
                         ("evicted", 1, [], 6, 6, 5))
        self.assertEqual(self.list("start=26")["status"], "up_to_date")
        self.assertEqual(self.list("start=312")["status"], "future")

    def test_the_last_ones(self):  # H6, H8
        self.start(history={"capacity": 10})
        self.post(10)
        self.assertEqual(self.seqs("start=1&count=3"), [1, 2, 3])
        self.assertEqual(self.seqs(), list(range(1, 11)))
        self.post(3)
        for tail in ("10", "11", "15", "18446744073709551615"):
            self.assertEqual(self.seqs(f"tail={tail}"), list(range(4, 14)), tail)
        self.assertEqual(self.seqs("tail=2"), [12, 13])

    def test_the_last_ones_that_one_answer_holds(self):
        self.start(history={"capacity": 1000})
        for first in range(0, 200, 20):
            self.send([{**event(f"e{n}"), "data": "x" * 60_000} for n in range(first, first + 20)])
        for query in ("tail=200", "tail=200&action=push"):
            body = self.list(query)
            self.assertTrue(body["clamped"])
            seqs = [record["seq"] for record in body["events"]]
            self.assertEqual(seqs, list(range(seqs[0], 201)), query)
            self.assertTrue(130 <= len(seqs) <= 140, len(seqs))
        self.assertFalse(self.list("tail=100")["clamped"])

    def test_resized_by_reloads(self):  # H10
        # Else each reload would be an event, too.
        self.start(history={"capacity": 10}, meta={"enabled": False})
        self.post(10)
        lowest = []
        for capacity in (6, 20, None, 2, 20):
            if capacity is None:
                self.post(5)
            else:
                self.reload(history={"capacity": capacity})
            lowest.append(self.list()["lowest"])
        self.assertEqual(lowest, [5, 5, 5, 14, 14])
        self.assertEqual(self.seqs(), [14, 15])

    def test_counts_of_all_that_came(self):
        self.start([{"name": "pager", "url": "http://127.0.0.1:9/", "disabled": True}],
                   history={"capacity": 2}, reload={"watch": False})
        status, fresh = self.get("/v1/events/stats")
        self.assertEqual((status, fresh["total"], fresh["by"], fresh["other"]), (200, 0, [], 0))
        self.send([event("a"), event("b"), event("c", "pull"), {"id": "d"}])
        self.reload(history={"capacity": 3})
        wait_until(lambda: self.get("/v1/events/stats")[1]["total"] == 5)
        stats = self.get("/v1/events/stats")[1]
        self.assertEqual(stats["by"], [
            {"source": "http", "action": "push", "count": 2},
            {"source": "http", "action": "", "count": 1},
            {"source": "http", "action": "pull", "count": 1},
            {"source": "meta", "action": "config.reloaded", "count": 1}])
        self.assertEqual((stats["instance"], stats["since"]),
                         (self.list()["instance"], fresh["since"]))
        self.assertEqual(fetch(self.fanfare.admin, "POST", "/v1/events/stats").status, 405)
        self.assertEqual(self.get("/v1/events/stats?count=1")[0], 400)
        self.reload(history={"capacity": 0})
        self.assertEqual(self.get("/v1/events/stats")[0], 404)

    def test_what_is_asked_wrongly(self):  # H11
        self.start()
        for query, name in (("count=0", "count"), ("count=xyz", "count"), ("count=-1", "count"),
                            ("start=99999999999999999999", "start"), ("cuont=1", "cuont"),
                            ("start=1&tail=1", "tail"), ("count=", "count"), ("count=%2B1", "count"),
                            ("count=0x1", "count"), ("start=1&start=2", "start"),
                            ("wait=31", "wait"), ("action=@nobody", "action"),
                            ("source=a,,b", "source"), ("source=mta", "source")):
            status, body = self.get(f"/v1/events?{query}")
            self.assertEqual((status, body["errors"][0]["code"]), (400, "INVALID_PARAMETER"), query)
            self.assertIn(name, body["errors"][0]["message"], query)
            self.assertEqual(body["errors"][0]["detail"], {"parameter": name}, query)
        for wait in ("31", "x", "-1", ""):
            _, body = self.get(f"/v1/events?wait={wait}")
            self.assertEqual(body["errors"][0]["message"], "wait: expected seconds from 0 to 30")
        self.assertEqual(fetch(self.fanfare.admin, "POST", "/v1/events").status, 405)

    def test_no_more_than_an_answer_may_hold(self):  # H12
        self.start(history={"max_response": 1})
        self.post(5)
        body = self.list("count=3")
        self.assertEqual((len(body["events"]), body["clamped"], body["next_start"]), (1, True, 2))

    def test_every_reader_sees_each_once(self):  # H13
        self.start(history={"capacity": 5000})
        is_over = threading.Event()
        seen = [[] for _ in range(4)]

        def send(first):
            with Connection(self.fanfare.ingest) as connection:
                for i in range(1000):
                    self.assertEqual(connection.request(
                        "POST", "/events", envelope(event(f"e{first + i}"))).status, 202)

        def page(found):
            start = 1
            while True:
                was_over = is_over.is_set()
                body = self.list(f"start={start}&count=70")
                found += [record["seq"] for record in body["events"]]
                start = body["next_start"]
                if was_over and body["status"] == "up_to_date":
                    return

        senders = [threading.Thread(target=send, args=(i * 1000,)) for i in range(3)]
        readers = [threading.Thread(target=page, args=(found,)) for found in seen]
        for thread in readers + senders:
            thread.start()
        for thread in senders:
            thread.join()
        is_over.set()
        for thread in readers:
            thread.join()
        for found in seen:
            self.assertEqual(found, list(range(1, 3001)))

    def test_a_large_event_is_delivered_whole_and_kept_as_a_stub(self):  # H14
        target = self.receiver()
        self.start([{"name": "audit", "url": target.url("/audit")}])
        large = {**event("big"), "text": "é" * 50000}
        self.send([large])
        self.wait_delivered(self.fanfare, "audit")
        self.assertEqual(target.received("/audit")[0].events()[0], large)
        kept = self.list()["events"][0]["event"]
        self.assertEqual((kept["truncated"], kept["id"], kept["action"]), (True, "big", "push"))
        self.assertGreater(kept["size"], 100000)

    def test_a_long_poll(self):  # H15
        self.start()
        found = []
        before = self.fanfare.descriptors()
        poll = threading.Thread(target=lambda: found.append(self.list("start=1&wait=20")))
        poll.start()
        wait_until(lambda: self.fanfare.descriptors() > before)
        self.assertTrue(stays_true(poll.is_alive, 0.5))
        self.post(1)
        poll.join(10)
        self.assertEqual([record["seq"] for record in found[0]["events"]], [1])
        begun = time.monotonic()
        self.assertEqual(self.list("start=2&wait=1")["status"], "up_to_date")
        self.assertGreaterEqual(time.monotonic() - begun, 0.9)

    def test_the_end_of_the_daemon_ends_a_long_poll(self):  # H15
        self.start()
        found = []
        before = self.fanfare.descriptors()
        poll = threading.Thread(target=lambda: found.append(self.list("start=1&wait=9")))
        poll.start()
        wait_until(lambda: self.fanfare.descriptors() > before, 5)
        self.fanfare.stop(seconds=5)
        poll.join(10)
        self.assertEqual(found[0]["status"], "up_to_date")

    def test_a_long_poll_ends_when_its_client_has_gone(self):
        self.start()
        before = self.fanfare.descriptors()
        polls = [open_socket(self.fanfare.admin) for _ in range(20)]
        for poll in polls:
            poll.sendall(b"GET /v1/events?wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: self.fanfare.descriptors() >= before + 20, 5)
        for poll in polls:
            poll.close()
        wait_until(lambda: self.fanfare.descriptors() <= before + 2, 10)

    def test_one_that_is_larger_than_all_of_it_drives_nothing_out(self):
        self.start(history={"max_bytes": "64KiB", "max_event_bytes": "64MiB"})
        self.post(1)
        self.send([{**event("big"), "text": "x" * 100000}])
        self.assertEqual([record["event"].get("truncated") for record in self.list()["events"]],
                         [None, True])

    def test_a_long_poll_with_a_filter(self):
        self.start()
        found = []
        poll = threading.Thread(
            target=lambda: found.append(self.list("start=1&wait=20&action=@write")))
        poll.start()
        self.post(1, action="pull")
        self.post(1, action="push")
        poll.join(10)
        self.assertEqual([record["seq"] for record in found[0]["events"]], [2])

    def test_a_restart_begins_anew(self):  # H16
        self.start()
        self.post(2)
        before = self.list()["instance"]
        self.fanfare.stop()
        self.start()
        after = self.list()
        self.assertEqual((after["next"], after["events"]), (1, []))
        self.assertNotEqual(after["instance"], before)

    def test_a_restart_with_the_queue_on_disk_goes_on_counting(self):
        queue = {"storage": "disk", "dir": str(self.directory / "queue")}
        self.start(queue=queue)
        self.post(2)
        self.wait_delivered(self.fanfare, "audit")
        before = self.list()
        self.assertEqual(before["next"], 3)
        self.fanfare.stop()
        self.start(queue=queue)
        after = self.list()
        self.assertEqual((after["lowest"], after["next"], after["instance"]),
                         (3, 3, before["instance"]))
        self.post(1)
        self.assertEqual(self.seqs(), [3])

    def test_switched_off(self):
        self.start(history={"capacity": 0})
        self.post(1)
        for path in ("/v1/events", "/v1/events/1", "/v1/events/stream"):
            status, body = self.get(path)
            self.assertEqual((status, body["errors"][0]["code"]), (404, "HISTORY_DISABLED"), path)

    def test_filters(self):
        self.start()
        self.send([{"id": "1", "action": "push", "target": {"repository": "lib/a"}},
                           {"id": "2", "action": "pull", "target": {"repository": "lib/b"}},
                           {"id": "3", "action": "delete", "subject": "lib/c"}])
        self.assertEqual(self.seqs("action=@write"), [1, 3])
        self.assertEqual(self.seqs("action=pull,delete"), [2, 3])
        self.assertEqual(self.seqs("target=lib/a,lib/c"), [1, 3])
        self.assertEqual(self.seqs("target=lib/*&action=pull"), [2])
        self.assertEqual(self.seqs("source=http&count=2"), [1, 2])
        self.assertEqual(self.seqs("source=meta"), [])
        self.assertEqual(self.seqs("action=@write&tail=1"), [3])
        self.assertEqual(self.seqs("action=push&tail=5"), [1])
        self.assertEqual(self.list("source=meta")["next_start"], 4)


class Fates(HistoryCase):
    def test_what_became_of_an_event(self):
        target = self.receiver()
        target.on("/refuses", Answer(422))
        target.on("/fails", Answer(500))
        self.start([
            {"name": "takes", "url": target.url("/takes")},
            {"name": "ignores", "url": target.url("/ignores"), "ignore": {"actions": ["push"]}},
            {"name": "refuses", "url": target.url("/refuses"), "retry": {"permanent": [422]}},
            {"name": "fails", "url": target.url("/fails"), "backoff": "60s"}])
        self.send([event("a")])
        self.wait_delivered(self.fanfare, "takes")
        wait_until(lambda: self.states()["refuses"] == ("dead_lettered", "permanent"), 10,
                   lambda: str(self.states()))
        self.assertEqual(self.states(), {"takes": ("delivered", None), "ignores": ("ignored", None),
                                         "refuses": ("dead_lettered", "permanent"),
                                         "fails": ("pending", None)})
        attempts = {one["name"]: one["attempts"] for one in self.get("/v1/events/1")[1]["endpoints"]}
        self.assertEqual(attempts["takes"][0]["status"], 200)
        self.assertEqual(attempts["refuses"][0]["status"], 422)
        self.assertEqual(attempts["ignores"], [])
        fetch(self.fanfare.admin, "POST", "/v1/endpoints/fails/pause")
        fetch(self.fanfare.admin, "POST", "/v1/endpoints/fails/purge")
        self.assertEqual(self.states()["fails"], ("dropped", "purged"))

    def unoffered(self, **config):
        """Events that two endpoints get and a third does not: a meta event and a replay. Then the
        first one's endpoint is replaced."""
        target = self.receiver()
        target.on("/refuses", Answer(422))
        pager = {"name": "pager", "url": target.url("/pager"),
                 "match": [{"field": "/action", "op": "in", "value": ["@meta"]}]}
        refuses = {"name": "refuses", "url": target.url("/refuses"), "retry": {"permanent": [422]}}
        other = {"name": "other", "url": target.url("/other")}
        self.start([pager, refuses, other], reload={"watch": False},
                   dead_letters={"dir": str(self.directory / "letters")}, **config)
        self.post(1)
        wait_until(lambda: self.fanfare.metrics().value("fanfare_dead_letters_kept_events") == 1)
        wait_until(lambda: len(self.list()["events"]) == 2)
        self.wait_delivered(self.fanfare, "pager")
        self.assertEqual(self.states(2), {"pager": ("delivered", None),
                                          "refuses": ("not_offered", None),
                                          "other": ("not_offered", None)})
        target.on("/refuses", Answer(204))
        fetch(self.fanfare.admin, "POST", "/v1/dead-letters/replay")
        wait_until(lambda: len(self.list()["events"]) == 3)
        self.wait_delivered(self.fanfare, "refuses")
        self.assertEqual(self.states(3), {"pager": ("not_offered", None),
                                          "refuses": ("delivered", None),
                                          "other": ("not_offered", None)})
        self.reload(endpoints=[pager, refuses])
        self.reload(endpoints=[pager, refuses, other])
        self.fanfare.missed["other"] = 1
        self.assertEqual(self.states(1)["other"], ("unknown", None))

    def test_events_that_were_not_for_an_endpoint(self):
        self.unoffered()

    def test_events_that_were_not_for_an_endpoint_with_queues_on_disk(self):
        self.unoffered(queue={"storage": "disk", "dir": str(self.directory / "queue")})

    def states(self, seq=1):
        _, body = self.get(f"/v1/events/{seq}")
        return {one["name"]: (one["state"], one["reason"]) for one in body["endpoints"]}

    def test_one_that_is_not_there(self):
        self.start()
        self.post(1)
        for seq in ("2", "0", "x", "99999999999999999999"):
            status, body = self.get(f"/v1/events/{seq}")
            self.assertEqual((status, body["errors"][0]["code"]), (404, "EVENT_UNKNOWN"), seq)
            self.assertEqual(body["errors"][0]["detail"], {"lowest": 1, "next": 2})

    def test_a_replay_is_an_event_too(self):
        target = self.receiver()
        target.on("/refuses", Answer(422))
        self.start([{"name": "refuses", "url": target.url("/refuses"),
                     "retry": {"permanent": [422]}}],
                   dead_letters={"dir": str(self.directory / "letters")}, meta={"enabled": False})
        self.post(1)
        wait_until(lambda: self.fanfare.metrics().value("fanfare_dead_letters_kept_events") == 1)
        target.on("/refuses", Answer(204))
        fetch(self.fanfare.admin, "POST", "/v1/dead-letters/replay")
        wait_until(lambda: len(self.list()["events"]) == 2, 10)
        replayed = self.list()["events"][1]
        self.assertEqual((replayed["seq"], replayed["source"], replayed["event"]["id"]),
                         (2, "replay", "e0"))
