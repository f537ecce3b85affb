"""Starting, stopping, being idle, being pestered."""

import json
import signal
import socket
import subprocess
import time

from harness.case import EndToEndCase
from harness.daemon import EVENTS_V1, executable, with_test_defaults
from harness.events import envelope, event, ids, numbered
from harness.http import Connection, fetch, request_bytes
from harness.process import free_port
from harness.receiver import Answer, HANG
from harness.wait import wait_until

LATE = 4  # seconds a busy machine may add; what is not to happen takes longer


class Stops(EndToEndCase):
    """Acceptance 29, 30 and 32."""

    def stop(self, daemon, seconds=15):
        """(exit code, how long it took)."""
        begun = time.monotonic()
        code = daemon.stop(seconds=seconds)
        return code, time.monotonic() - begun

    def dropped(self, daemon, endpoint):
        """How many events the log says were left at shutdown."""
        return sum(entry["events"] for entry in daemon.log()
                   if entry.get("endpoint") == endpoint and entry.get("reason") == "shutdown")

    def test_with_nothing_to_do_it_ends_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon(shutdown={"drain": "20s"})
            begun = time.monotonic()
            self.assertEqual(daemon.stop(number), 0)
            self.assertLess(time.monotonic() - begun, LATE)

    def test_healthy_endpoint_gets_everything_and_it_ends_without_waiting(self):
        """Acceptance 29."""
        receiver = self.receiver()
        receiver.on("/hook", Answer(delay=0.002))
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s"}],
                             shutdown={"drain": "20s"})
        self.assertEqual(daemon.post(numbered(0, 500)).status, 202)
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertEqual(receiver.accepted_ids(), ids(0, 500))
        self.assertLess(took, 10)
        self.assertEqual(self.dropped(daemon, "t1"), 0)

    def test_dead_endpoint_takes_the_drain_time_and_what_is_left_is_told(self):
        """Acceptance 30."""
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}],
                             shutdown={"drain": "1s"})
        daemon.post(numbered(0, 50))
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertGreaterEqual(took, 0.95)
        self.assertLess(took, 1 + LATE)
        self.assertEqual(self.dropped(daemon, "dead"), 50)

    def test_hanging_endpoint_does_not_delay_beyond_the_drain_time(self):
        receiver = self.receiver()
        receiver.on("/hang", HANG)
        daemon = self.daemon([{"name": "hanging", "url": receiver.url("/hang"), "timeout": "60s"},
                              {"name": "healthy", "url": receiver.url("/ok")}],
                             shutdown={"drain": "1s"})
        daemon.post(numbered(0, 20))
        receiver.wait_for(1, "/hang")
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertLess(took, 1 + LATE)
        self.assertEqual(self.dropped(daemon, "hanging"), 20)
        self.assertEqual(receiver.accepted_ids("/ok"), ids(0, 20))

    def test_paused_endpoint_takes_the_drain_time_and_what_is_left_is_told(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "paused", "url": receiver.url("/paused")},
                              {"name": "healthy", "url": receiver.url("/ok")}],
                             shutdown={"drain": "1s"})
        fetch(daemon.admin, "POST", "/v1/endpoints/paused/pause")
        daemon.post(numbered(0, 30))
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertGreaterEqual(took, 0.95)
        self.assertLess(took, 1 + LATE)
        self.assertEqual(self.dropped(daemon, "paused"), 30)
        self.assertEqual(self.dropped(daemon, "healthy"), 0)
        self.assertEqual(receiver.accepted_ids("/ok"), ids(0, 30))
        self.assertEqual(receiver.count("/paused"), 0)

    def test_receiver_that_asked_for_time_is_left_alone_to_the_end(self):
        receiver = self.receiver()
        receiver.on("/hook", Answer(503, headers=(("Retry-After", "60"),)))
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}], shutdown={"drain": "1s"})
        daemon.post(numbered(0, 10))
        receiver.wait_for(1)
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertLess(took, 1 + LATE)
        self.assertEqual(receiver.count(), 1)
        self.assertEqual(self.dropped(daemon, "t1"), 10)

    def test_while_it_drains_the_books_balance(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"},
                              {"name": "healthy", "url": receiver.url()}],
                             shutdown={"drain": "2s"})
        daemon.post(numbered(0, 7))
        self.wait_delivered(daemon, "healthy")
        daemon.send_signal(signal.SIGTERM)
        wait_until(lambda: daemon.log_entries(msg="stopping"))
        metrics = daemon.metrics()
        self.assertEqual(metrics.imbalance(), [])
        self.assertEqual(metrics.endpoint("pending_events", "dead"), 7)
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual(self.dropped(daemon, "dead"), 7)

    def test_in_the_middle_of_a_reload(self):
        """A loss here would be of what was accepted, whatever the reload does to its endpoint."""
        receiver = self.receiver()
        receiver.on("/hook", Answer(delay=0.002))
        for wait in (0, 0.005, 0.02, 0.05):
            daemon = self.daemon([{"name": "t1", "url": receiver.url()},
                                  {"name": "gone", "url": receiver.url("/gone")}],
                                 shutdown={"drain": "10s"}, reload={"debounce": "10ms"})
            first = receiver.count("/hook")
            self.assertEqual(daemon.post(numbered(first, 100)).status, 202)
            config = json.loads(daemon.config_file.read_text())
            config["endpoints"] = [{"name": "t1", "url": receiver.url(), "timeout": "7s"},
                                   {"name": "new", "url": receiver.url("/new")}]
            daemon.config_file.write_text(json.dumps(config))
            daemon.send_signal(signal.SIGHUP)
            time.sleep(wait)  # different moments of the reload
            code, took = self.stop(daemon)
            self.assertEqual(code, 0)
            self.assertLess(took, 8)
            self.assertEqual(self.dropped(daemon, "t1"), 0)
            self.assertEqual(receiver.accepted_ids("/hook")[first:], ids(first, 100))

    def test_at_the_bound_of_its_memory(self):
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/",
                               "queue": {"max_bytes": 0}}],
                             queue={"max_bytes": "64KiB"}, shutdown={"drain": "500ms"})
        taken = 0
        while daemon.post(numbered(taken, 1)).status == 202:
            taken += 1
        code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertLess(took, 1 + LATE)
        self.assertEqual(self.dropped(daemon, "dead"), taken)

    def test_second_signal_ends_it_at_once(self):
        """Acceptance 32."""
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}],
                             shutdown={"drain": "60s"})
        daemon.expected_exit = 130
        daemon.post(numbered(0, 5))
        daemon.send_signal(signal.SIGTERM)
        wait_until(lambda: daemon.log_entries(msg="stopping"))
        begun = time.monotonic()
        self.assertEqual(daemon.stop(), 130)
        self.assertLess(time.monotonic() - begun, LATE)

    def test_while_it_drains_new_events_are_refused_and_it_is_not_ready(self):
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/"}],
                             shutdown={"drain": "3s"})
        self.assertEqual(daemon.get("/readyz").status, 200)
        with Connection(daemon.ingest) as kept_alive:
            kept_alive.send(request_bytes("POST", "/events", numbered(0, 5))[:-10])
            daemon.send_signal(signal.SIGTERM)
            wait_until(lambda: daemon.log_entries(msg="stopping"))
            # A request that has begun may finish, whichever way it is answered.
            kept_alive.send(numbered(0, 5)[-10:])
            answer = kept_alive.receive()
            self.assertIn(answer.status, (202, 503))
        self.assertIn(self.try_to_post(daemon), (503, None))
        self.assertEqual(daemon.get("/readyz").status, 503)
        self.assertEqual(daemon.get("/healthz").status, 200)
        self.assertEqual(daemon.wait(), 0)

    @staticmethod
    def try_to_post(daemon):
        """The status, or None if the connection was refused."""
        try:
            return daemon.post(numbered(9, 1)).status
        except (OSError, AssertionError):
            return None

    def test_request_that_never_ends_does_not_delay_the_exit(self):
        daemon = self.daemon(shutdown={"drain": "1s"})
        with Connection(daemon.ingest) as connection:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{")
            code, took = self.stop(daemon)
        self.assertEqual(code, 0)
        self.assertLess(took, 1 + LATE)


class Dies(EndToEndCase):
    def test_what_was_in_memory_is_gone_and_nothing_else(self):
        """Acceptance 31, as the README says."""
        receiver = self.receiver()
        receiver.on("/hook", Answer(503))
        endpoints = [{"name": "t1", "url": receiver.url()}]
        daemon = self.daemon(endpoints)
        daemon.expected_exit = -signal.SIGKILL
        self.assertEqual(daemon.post(numbered(0, 50)).status, 202)
        receiver.wait_for(1)
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)

        receiver.on("/hook", Answer(200))
        daemon = self.daemon(endpoints, ingest={"listen": daemon.ingest},
                             admin={"listen": daemon.admin})
        self.assertEqual(daemon.post(numbered(50, 50)).status, 202)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids(), ids(50, 50))


class Unread(EndToEndCase):
    def test_log_that_nobody_reads_stops_nothing(self):
        receiver = self.receiver()
        config = with_test_defaults({
            "log": {"level": "debug"},
            "shutdown": {"drain": "1s"},
            "endpoints": [{"name": "t1", "url": receiver.url(), "max_in_flight": 4},
                          *({"name": f"dead{n}", "url": f"http://127.0.0.1:{free_port()}/"}
                            for n in range(20))]})
        config["ingest"]["listen"] = f"127.0.0.1:{free_port()}"
        file = self.directory / "unread.yaml"
        file.write_text(json.dumps(config))
        daemon = subprocess.Popen([executable(), "serve", "-c", file], stderr=subprocess.PIPE)
        self.addCleanup(daemon.stderr.close)
        self.addCleanup(daemon.kill)
        ingest = config["ingest"]["listen"]
        wait_until(lambda: self.post(ingest, numbered(0, 1)))
        for first in range(1, 3000, 100):
            self.assertTrue(self.post(ingest, numbered(first, 100)))
        wait_until(lambda: len(receiver.accepted_ids()) >= 3001, seconds=30)
        daemon.terminate()
        self.assertEqual(daemon.wait(5), 0)

    @staticmethod
    def post(address, body):
        try:
            return fetch(address, "POST", "/events", body,
                         [("Content-Type", EVENTS_V1)]).status == 202
        except OSError:
            return False


class Starts(EndToEndCase):
    def test_is_ready_within_a_second(self):
        """The best of five: other work on the machine is none of its doing."""
        daemons = [self.daemon([{"name": "t1", "url": "http://127.0.0.1:1/"}]) for _ in range(5)]
        best = min(daemon.ready_after for daemon in daemons)
        print(f"start to ready: {best * 1000:.0f} ms")
        self.assertLess(best, 1)
        self.assertEqual(daemons[0].get("/readyz").status, 200)
        self.assertEqual(daemons[0].get("/healthz").status, 200)

    def test_listen_address_in_use_is_one_clear_line_and_exit_1(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for listener in ("ingest", "admin"):
                daemon = self.daemon(ready=False, **{listener: {"listen": address}})
                daemon.expected_exit = 1
                self.assertEqual(daemon.wait(), 1)
                complaint = [line for line in daemon.lines if address in line]
                self.assertEqual(len(complaint), 1, daemon.lines)
                self.assertRegex(complaint[0], "in use")

    def test_bad_configuration_is_exit_78_with_every_problem(self):
        daemon = self.daemon([{"name": "a", "url": "ftp://x/", "tiemout": "1s"},
                              {"name": "a", "url": "http://x/", "timeout": 5}], ready=False)
        daemon.expected_exit = 78
        self.assertEqual(daemon.wait(), 78)
        for part in ("scheme", "tiemout", "timeout", "name"):
            self.assertIn(part, daemon.text())
        for line in daemon.lines:
            self.assertRegex(line, r"^/.*fanfare\.yaml:\d+:\d+: error: ")

    def test_missing_configuration_file(self):
        code, _, errors = self.run_fanfare("serve", "-c", self.directory / "none.yaml")
        self.assertEqual(code, 78)
        self.assertRegex(errors, r"^/.*none\.yaml: error: .*\n$")

    def test_the_registrys_notifications_block_works_as_it_is(self):
        """Acceptance 11: every key that the registry knows."""
        receiver = self.receiver()
        daemon = self.daemon(None, notifications=self.notifications(receiver))
        daemon.post(envelope(event("1"), event("2", "pull"),
                             event("3", media_type="application/octet-stream"),
                             event("4", media_type="a/b"), event("5")))
        self.wait_delivered(daemon, "alistener")
        self.assertEqual(receiver.accepted_ids(), ["1", "5"])
        self.assertEqual(receiver.received()[0].header("Authorization"), "Bearer tok")
        self.assertEqual(daemon.metrics().endpoints(), ["alistener"])

    @staticmethod
    def notifications(receiver):
        return {"events": {"includereferences": True}, "endpoints": [
            {"name": "alistener", "disabled": False, "url": receiver.url("/hook?q=1"),
             "headers": {"Authorization": ["Bearer tok"]}, "timeout": "1m1.5s", "threshold": 10,
             "backoff": "1s", "ignoredmediatypes": ["application/octet-stream"],
             "ignore": {"mediatypes": ["a/b"], "actions": ["pull"]}},
            {"name": "other", "disabled": True, "url": "http://127.0.0.1:1/"}]}

    def test_a_whole_registry_configuration_loads_with_one_warning(self):
        """Acceptance 11. Only checked: run, it would take the default ports."""
        file = self.directory / "registry.yml"
        file.write_text(json.dumps({
            "version": 0.1, "log": {"fields": {"service": "registry"}},
            "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}},
            "http": {"addr": ":5000", "debug": {"addr": ":5001"}},
            "notifications": self.notifications(self.receiver())}))
        code, output, errors = self.run_fanfare("check", "-c", file)
        self.assertEqual((code, errors.count("\n")), (0, 1), errors)
        self.assertIn("warning", errors)
        self.assertIn("2 endpoints", output)

    def test_log_as_text_for_people(self):
        daemon = self.daemon(ready=False, log={"format": "text"})
        daemon.wait_for_line(lambda line: "ready" in line)
        for line in daemon.lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+Z (info|warning) +\w+: ")


class Frugality(EndToEndCase):
    def test_no_descriptor_is_left_after_a_thousand_connections(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}])
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "t1")
        before = daemon.descriptors()
        for number in range(1000):
            with Connection(daemon.ingest) as connection:
                self.misbehave(connection, number)
        wait_until(lambda: daemon.descriptors() <= before + 1,
                   what=lambda: f"{before} descriptors, there are {daemon.descriptors()}")
        wait_until(lambda: daemon.metrics().value("fanfare_ingest_connections") == 0)
        self.assertEqual(daemon.post(numbered(1, 1)).status, 202)

    @staticmethod
    def misbehave(connection, number):
        """One of several ways to use or leave a connection."""
        if number % 5 == 0:
            connection.send(b"GARBAGE\r\n\r\n")
            connection.receive()
        elif number % 5 == 1:
            connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Le")
        elif number % 5 == 2:
            connection.request("POST", "/events", b'{"events":[]}')
        elif number % 5 == 3:
            connection.send(request_bytes("POST", "/events", b'{"events":[]}'))

    def test_idle_daemon_sleeps(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}])
        daemon.post(numbered(0, 10))
        self.wait_delivered(daemon, "t1")
        seconds = 4
        before = daemon.voluntary_switches()
        time.sleep(seconds)  # the length of the observation
        rate = (daemon.voluntary_switches() - before) / seconds
        print(f"idle: {rate:.1f} voluntary context switches per second")
        self.assertLessEqual(rate, 5)

    def test_failures_are_not_logged_for_ever(self):
        daemon = self.daemon([{"name": "dead", "url": f"http://127.0.0.1:{free_port()}/",
                               "threshold": 1000, "backoff": "10ms"}])
        daemon.post(numbered(0, 1))
        wait_until(lambda: daemon.metrics().endpoint("errors_total", "dead") > 1000, 20)
        lines = [line for line in daemon.lines if json.loads(line).get("endpoint") == "dead"]
        self.assertGreaterEqual(len(lines), 1)
        self.assertLess(len(lines), 10, lines)
