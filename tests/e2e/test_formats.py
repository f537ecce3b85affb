"""What endpoints are sent, by their format; CloudEvents are judged by an independent library."""

import base64
import json

from harness.case import EndToEndCase
from harness.events import envelope, event
from harness.node import installed, run_node
from harness.wait import wait_until

JSON_EVENT = {"id": "j-1", "action": "deploy", "target": {"repository": "web", "tag": "1.2"}}
AWKWARD = "Euro € 😀 \"q\" % \\ \n end"


def cloudevent(event_id, **more):
    return {"specversion": "1.0", "id": event_id, "source": "/sensors", "type": "com.example.x",
            **more}


class Formats(EndToEndCase):
    def start(self, **endpoint):
        self.receiver_ = self.receiver()
        self.fanfare = self.daemon([{"name": "t1", "url": self.receiver_.url(), **endpoint}])

    def post(self, body, content_type="application/json"):
        """The requests that follow a POST with one event."""
        known = self.receiver_.count()
        answer = self.fanfare.post(body, content_type)
        self.assertEqual(answer.status, 202, answer.body)
        self.wait_delivered(self.fanfare, "t1")
        return self.receiver_.received()[known:]

    def post_one(self, *arguments):
        requests = self.post(*arguments)
        self.assertEqual(len(requests), 1)
        return requests[0]


class CloudEvents(Formats):
    def parsed(self, requests):
        """What the library makes of each: a list of events."""
        directory = installed("cloudevents")
        cases = [{"headers": {name.lower(): value for name, value in request.headers},
                  "body": base64.b64encode(request.body).decode()} for request in requests]
        return json.loads(run_node(directory, "parse.mjs", json.dumps(cases)))

    def parsed_one(self, request):
        events = self.parsed([request])[0]
        self.assertIsInstance(events, list, events)
        self.assertEqual(len(events), 1)
        return events[0]

    REGISTRY = {"id": "r-1", "specversion": "1.0", "source": "registry:5000",
                "type": "org.cncf.distribution.push", "subject": "library/tiny",
                "time": "2026-11-20T21:22:34.384Z", "datacontenttype": "application/json"}

    def expect_registry_event(self, parsed):
        data = parsed.pop("data")
        self.assertEqual(data, event("r-1"))
        # The library keeps milliseconds.
        self.assertEqual(parsed.pop("time")[:23], self.REGISTRY["time"][:23])
        self.assertEqual(parsed, {key: value for key, value in self.REGISTRY.items()
                                  if key != "time"})

    def test_structured_form_of_a_registry_event(self):
        self.start(format="cloudevents")
        request = self.post_one(envelope(event("r-1")),
                                "application/vnd.docker.distribution.events.v2+json")
        self.assertEqual(request.header("content-type"), "application/cloudevents+json")
        self.expect_registry_event(self.parsed_one(request))

    def test_binary_form_of_a_registry_event(self):
        self.start(format="cloudevents-binary")
        request = self.post_one(envelope(event("r-1")),
                                "application/vnd.docker.distribution.events.v2+json")
        self.assertEqual(request.header("content-type"), "application/json")
        self.assertEqual(request.header("ce-type"), "org.cncf.distribution.push")
        self.expect_registry_event(self.parsed_one(request))

    def test_both_forms_of_another_event(self):
        for form in ("cloudevents", "cloudevents-binary"):
            with self.subTest(form):
                self.start(format=form, type_prefix="com.example.build")
                parsed = self.parsed_one(self.post_one(json.dumps(JSON_EVENT).encode()))
                self.assertEqual(parsed["type"], "com.example.build.deploy")
                self.assertEqual(parsed["source"], "fanfare")
                self.assertEqual(parsed["subject"], "web:1.2")
                self.assertEqual(parsed["data"], JSON_EVENT)

    def test_sources_are_uri_references(self):
        addresses = ["registry:5000", "10.0.0.1:5000", "[fd00::1]:5000", "https://r.example.com/x",
                     "no uri at all", "r.example.com"]
        self.start(format="cloudevents")
        events = [{"id": str(i), "source": {"addr": address}}
                  for i, address in enumerate(addresses)]
        sources = [found[0]["source"] for found in self.parsed(self.post(json.dumps(events).encode()))]
        self.assertEqual(sources, ["registry:5000", "//10.0.0.1:5000", "//[fd00::1]:5000",
                                   "https://r.example.com/x", "fanfare", "r.example.com"])

    def test_a_cloudevent_passes_through(self):
        """Byte for byte in structured form; in binary form all that it says."""
        sent = [cloudevent("1", data={"a": [1, 2.5, AWKWARD]}),
                cloudevent("2", subject=AWKWARD, time="2026-11-20T21:22:34Z", number=5, flag=True),
                cloudevent("3", datacontenttype="text/plain", data=AWKWARD),
                cloudevent("4", datacontenttype="image/png",
                           data_base64=base64.b64encode(bytes(range(256))).decode())]
        texts = [json.dumps(one, indent=1, ensure_ascii=False).encode() for one in sent]
        self.start(format="cloudevents")
        structured = [self.post_one(text, "application/cloudevents+json") for text in texts]
        self.assertEqual([request.body for request in structured], texts)

        self.start(format="cloudevents-binary")
        binary = [self.post_one(text, "application/cloudevents+json") for text in texts]
        self.assertEqual(binary[3].body, bytes(range(256)))
        self.assertEqual(binary[2].body, AWKWARD.encode())
        for request in binary:
            self.assertIsNone(request.header("ce-datacontenttype"))
        self.assertEqual(binary[1].header("ce-subject"),
                         "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22q%22%20%25%20\\%20%0A%20end")
        for events, original in zip(self.parsed(binary), sent):
            self.assertIsInstance(events, list, events)
            for name in ("id", "source", "type", "specversion", "datacontenttype"):
                self.assertEqual(events[0].get(name),
                                 original.get(name, events[0].get(name)), original)
        parsed = self.parsed(binary)
        self.assertEqual(parsed[0][0]["data"], {"a": [1, 2.5, AWKWARD]})

    def test_a_batch(self):
        self.start(format="cloudevents", batch={"max_events": 10, "linger": "200ms"})
        events = [event(f"e{i}", action=AWKWARD) for i in range(10)]
        request = self.post_one(envelope(*events),
                                "application/vnd.docker.distribution.events.v2+json")
        self.assertEqual(request.header("content-type"), "application/cloudevents-batch+json")
        found = self.parsed([request])[0]
        self.assertIsInstance(found, list, found)
        self.assertEqual([one["id"] for one in found], [one["id"] for one in events])
        self.assertEqual([one["data"] for one in found], events)
        self.assertEqual({one["type"] for one in found}, {"org.cncf.distribution." + AWKWARD})

    def test_an_event_that_cannot_be_rendered_is_given_up_alone(self):
        self.start(format="cloudevents-binary")
        bad = json.dumps(cloudevent("1", data_base64="no base64!")).encode()
        self.assertEqual(self.post(bad, "application/cloudevents+json"), [])
        good = json.dumps(cloudevent("2", data=1)).encode()
        self.assertEqual(self.post_one(good, "application/cloudevents+json").body, b"1")
        metrics = self.fanfare.metrics()
        self.assertEqual(metrics.value("fanfare_endpoint_dead_letters_total", endpoint="t1",
                                       reason="exception"), 1)
        self.assertEqual(metrics.endpoint("successes_total", "t1"), 1)


class Templates(Formats):
    def test_a_template_makes_the_body(self):
        self.start(format="template", template={
            "text": "{{ /action }} {{ /target/repository }}:{{ /target/tag }}",
            "size": "{{ /target/size }}", "none": "{{ /none }}", "id": "{{ @id }}", "n": [1, None]})
        request = self.post_one(json.dumps(event("1", repository=AWKWARD)).encode())
        self.assertEqual(request.header("content-type"), "application/json")
        self.assertEqual(json.loads(request.body),
                         {"text": f"push {AWKWARD}:", "size": 555, "none": None, "id": "1",
                          "n": [1, None]})

    def test_a_template_can_be_a_line_of_text(self):
        self.start(format="template", template="{{ @seq }} {{ /action }} {{ /actor/name }}\n",
                   headers={"Content-Type": "text/plain"})
        request = self.post_one(json.dumps({"action": "a\nb", "actor": {"name": "\"x\""}}).encode())
        self.assertEqual(request.all("content-type"), ["text/plain"])
        self.assertEqual(request.body, b"1 a b \"x\"\n")

    def test_every_attempt_sends_the_same_bytes(self):
        self.start(format="template", template={"event": "{{ @event }}", "seq": "{{ @seq }}"},
                   backoff="20ms")
        self.receiver_.script("/hook", [500, 500, 200])
        requests = self.post(json.dumps(event("1")).encode())
        self.assertEqual(len(requests), 3)
        self.assertEqual(len({request.body for request in requests}), 1)


class Dedup(EndToEndCase):
    def test_what_is_sent_again_is_delivered_once(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}],
                             ingest={"dedup": {"window": "500ms", "max_ids": 1000}}, threads=2)
        body = envelope(event("1"), event("2"))
        self.assertEqual(daemon.post(body).json(), {"accepted": 2, "first_seq": 1, "last_seq": 2})
        self.assertEqual(daemon.post(body).json(), {"accepted": 0, "duplicates": 2})
        self.assertEqual(daemon.post(envelope(event("2"), event("3"))).json(),
                         {"accepted": 1, "first_seq": 3, "last_seq": 3, "duplicates": 1})
        conflict = daemon.post(envelope(event("4"), event("1", action="pull")))
        self.assertEqual(conflict.status, 409)
        self.assertEqual(conflict.error_codes(), ["ID_CONFLICT"])
        self.wait_delivered(daemon, "t1")
        self.assertEqual([one for request in receiver.received() for one in request.event_ids()],
                         ["1", "2", "3"])
        wait_until(lambda: daemon.post(body).json()["accepted"] == 2, 10,
                   lambda: "the window to pass")


class ActionGroups(EndToEndCase):
    def test_groups_filter(self):
        receiver = self.receiver()
        daemon = self.daemon(
            [{"name": "t1", "url": receiver.url(), "ignore": {"actions": ["@read"]},
              "match": [{"field": "/action", "op": "in", "value": ["@write", "@deploy"]}]}],
            action_groups={"deploy": ["rollout", "@start"]})
        actions = ("push", "pull", "rollout", "start", "stop", "delete", "x")
        daemon.post(envelope(*(event(action, action=action) for action in actions)))
        self.wait_delivered(daemon, "t1")
        self.assertEqual([one for request in receiver.received() for one in request.event_ids()],
                         ["push", "rollout", "start", "delete"])
