"""Peers that mean no good, or know no better: the daemon must outlive all of them."""

import random
import resource
import socket
import time

from harness.case import DATA, EndToEndCase
from harness.daemon import EVENTS_V1
from harness.events import ids, numbered
from harness.http import Connection, request_bytes
from harness.receiver import Answer
from harness.wait import wait_until

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 0\r\n\r\n",
    b"HTTP/1.0 204 No Content\r\nConnection: close\r\n\r\n",
)


def mutated(data, chance):
    """`data` with one to three places changed."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[at:at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at:at] = bytes(chance.choices(b"\r\n \t:,;\x000123456789abcdefx", k=3))
        elif kind == 2:
            del data[at:at + chance.randint(1, 20)]
        else:
            data[at:at] = data[at // 2:at // 2 + chance.randint(1, 40)]
    return bytes(data)


class Hostile(EndToEndCase):
    def seeded(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        return random.Random(seed)

    def assert_works(self, daemon, receiver):
        """It is alive, no connection is left, and an event still gets through."""
        wait_until(lambda: daemon.metrics().value("fanfare_ingest_connections") == 0)
        self.assertEqual(daemon.post(numbered(777, 1)).status, 202)
        self.wait_delivered(daemon, "t1")
        self.assertEqual(receiver.accepted_ids()[-1], "e777")

    def test_mutated_requests(self):
        """Every one is answered, or its connection closed; none stays."""
        chance = self.seeded()
        originals = [file.read_bytes() for file in
                     sorted((DATA / "registry-captures").glob("*/*all-pull*.http"))]
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "5s"}],
                             ingest={"path": "/all"})
        daemon_post = daemon.post
        daemon.post = lambda body: daemon_post(body, path="/all")
        for _ in range(500):
            with Connection(daemon.ingest) as connection:
                connection.send(mutated(chance.choice(originals), chance))
                connection.socket.shutdown(socket.SHUT_WR)
                connection.rest()
        self.assert_works(daemon, receiver)

    def test_mutated_answers(self):
        """Each first attempt is answered with nonsense, each second one well."""
        chance = self.seeded()
        receiver = self.receiver()

        def answer(request):
            if request.header("fanfare-attempt") == "1" and request.event_ids() != ["e777"]:
                return Answer(how="raw", body=mutated(chance.choice(ANSWERS), chance))
            return Answer()
        receiver.on("/hook", answer)
        daemon = self.daemon([{"name": "t1", "url": receiver.url(), "timeout": "2s",
                               "threshold": 100_000, "max_in_flight": 8}])
        daemon.post(numbered(0, 300))
        self.wait_delivered(daemon, "t1", 30)
        self.assert_works(daemon, receiver)

    def test_client_that_sends_but_never_reads(self):
        """Its requests stay in its own buffers: the daemon does not pile answers up."""
        daemon = self.daemon()
        request = request_bytes("POST", "/events", b'{"events":[]}') * 1000
        with Connection(daemon.ingest, seconds=1) as connection:
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 200_000_000:
                    sent += connection.socket.send(request)
            self.assertLess(sent, 200_000_000)
            self.assertEqual(daemon.post(b'{"events":[]}').status, 202)
        self.assertLess(daemon.metrics().value("process_resident_memory_bytes"), 100_000_000)

    def test_half_closed_client_gets_its_answer(self):
        daemon = self.daemon()
        with Connection(daemon.ingest) as connection:
            connection.send(request_bytes("POST", "/events", b'{"events":[]}'))
            connection.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(connection.receive().status, 202)
            self.assertEqual(connection.rest(), b"")

    def test_out_of_descriptors_it_waits_and_goes_on(self):
        """SPEC 12: accepting pauses without spinning, and resumes."""
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}])
        sender = Connection(daemon.ingest)
        self.addCleanup(sender.close)
        self.post(sender, 0)
        receiver.wait_for(1)
        limit = daemon.descriptors() + 10
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = [Connection(daemon.ingest) for _ in range(40)]
        for connection in held:
            self.addCleanup(connection.close)
        wait_until(lambda: daemon.descriptors() >= limit - 2)
        self.assertLess(self.cpu_seconds_within(daemon, 1.0), 0.3)
        # Who is connected is served, and what it sends is delivered.
        for number in range(1, 20):
            self.post(sender, number)
        receiver.wait_for(20)
        self.assertEqual(receiver.accepted_ids(), ids(0, 20))
        for connection in (*held, sender):
            connection.close()
        wait_until(lambda: daemon.descriptors() < limit - 5)
        self.assert_works(daemon, receiver)

    def post(self, connection, number):
        answer = connection.request("POST", "/events", numbered(number, 1),
                                    [("Content-Type", EVENTS_V1)])
        self.assertEqual(answer.status, 202)

    def test_with_few_descriptors_senders_do_not_take_those_of_deliveries_and_health(self):
        receiver = self.receiver()
        daemon = self.daemon([{"name": "t1", "url": receiver.url()}],
                             prefix=("prlimit", "--nofile=64:64"))
        self.assertTrue(daemon.log_entries(
            msg="fewer connections than configured, as descriptors are limited"))
        first = Connection(daemon.ingest)
        self.addCleanup(first.close)
        for _ in range(150):
            self.addCleanup(Connection(daemon.ingest).close)
        wait_until(lambda: daemon.log_entries(msg="no more connections are taken"))
        self.assertEqual(daemon.get("/readyz").status, 200)
        self.assertEqual(first.request("POST", "/events", numbered(0, 1),
                                       [("Content-Type", EVENTS_V1)]).status, 202)
        receiver.wait_for(1)
        self.assertEqual(daemon.get("/readyz").status, 200)
        self.assertFalse(daemon.log_entries(msg="delivery failed"))

    @staticmethod
    def cpu_seconds_within(daemon, seconds):
        before = daemon.cpu_seconds()
        time.sleep(seconds)  # the length of the observation
        return daemon.cpu_seconds() - before
