"""The same smoke over several threads, unix sockets, several listeners and IPv6."""

import threading

from harness.case import EndToEndCase
from harness.events import envelope, event, ids, numbered
from harness.http import Connection, fetch
from harness.receiver import Answer


class Smoke(EndToEndCase):
    def endpoints(self, receiver):
        return [{"name": "a", "url": receiver.url("/a"), "timeout": "5s"},
                {"name": "b", "url": receiver.url("/b"), "timeout": "5s", "backoff": "50ms"},
                {"name": "c", "url": receiver.url("/c"), "ignore": {"actions": ["push"]}}]

    def check(self, count=200, **config):
        """Posts events, has one endpoint fail now and then, and looks at the result."""
        receiver = self.receiver()
        receiver.on("/b", lambda r: Answer(
            500 if r.header("fanfare-attempt") == "1" and r.event_ids()[0].endswith("7") else 200))
        daemon = self.daemon(self.endpoints(receiver), **config)
        for number, first in enumerate(range(0, count, 10)):
            address = daemon.ingest_addresses[number % len(daemon.ingest_addresses)]
            self.assertEqual(fetch(address, "POST", "/events", numbered(first, 10)).status, 202)
        for name in ("a", "b", "c"):
            self.wait_delivered(daemon, name)
        for path in ("/a", "/b"):
            self.assertEqual(receiver.accepted_ids(path), ids(0, count))
        self.assertEqual(receiver.count("/c"), 0)
        self.assertEqual(daemon.metrics().endpoint("failures_total", "b"), count / 10)
        self.assertEqual(daemon.metrics().endpoint("ignored_events_total", "c"), count)
        return daemon

    def test_one_thread(self):
        self.check()

    def test_two_threads(self):
        self.check(threads=2)

    def test_a_thread_per_cpu(self):
        self.check(threads=0)

    def test_unix_sockets(self):
        ingest = self.directory / "ingest.sock"
        admin = self.directory / "admin.sock"
        daemon = self.check(ingest={"listen": f"unix:{ingest}"}, admin={"listen": f"unix:{admin}"})
        self.assertEqual(daemon.ingest, f"unix:{ingest}")
        self.assertEqual(daemon.get("/v1/endpoints").status, 200)
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(ingest.exists())
        self.assertFalse(admin.exists())

    def test_socket_file_left_by_a_killed_daemon_is_taken_over(self):
        path = self.directory / "ingest.sock"
        daemon = self.daemon(ingest={"listen": f"unix:{path}"})
        daemon.expected_exit = None
        daemon.kill()
        self.assertTrue(path.exists())
        self.check(ingest={"listen": f"unix:{path}"})

    def test_several_listeners(self):
        path = self.directory / "ingest.sock"
        daemon = self.check(threads=2, ingest={
            "listen": ["127.0.0.1:0", f"unix:{path}", "[::1]:0"]})
        self.assertEqual(len(daemon.ingest_addresses), 3)
        self.assertRegex(daemon.ingest_addresses[2], r"^\[::1\]:\d+$")

    def test_all_endpoints_see_the_same_order_whatever_the_posts_race(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": name, "url": receiver.url(f"/{name}"), "timeout": "5s"}
                              for name in "abcd"], threads=2)

        def post(client):
            with Connection(daemon.ingest) as connection:
                for number in range(50):
                    body = envelope(event(f"c{client}-{number}-0"), event(f"c{client}-{number}-1"))
                    assert connection.request("POST", "/events", body).status == 202
        clients = [threading.Thread(target=post, args=(n,)) for n in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

        for name in "abcd":
            self.wait_delivered(daemon, name)
        orders = {tuple(receiver.accepted_ids(f"/{name}")) for name in "abcd"}
        self.assertEqual(len(orders), 1)
        order, = orders
        self.assertEqual(len(set(order)), 400)
        for client in range(4):
            mine = [event_id for event_id in order if event_id.startswith(f"c{client}-")]
            self.assertEqual(mine, [f"c{client}-{n}-{k}" for n in range(50) for k in (0, 1)])
