"""The NATS servers that other tests build on do what those tests believe."""

import socket

from harness.case import EndToEndCase
from harness.nats import NatsCluster, NatsServer
from harness.nats_client import NatsError
from harness.nats_copies import copy_of, differences
from harness.network import Network
from harness.wait import stays_true, wait_until

EVENTS = {"name": "fanfare", "subjects": ["fanfare.events.*"], "storage": "file",
          "retention": "limits", "discard": "new", "allow_direct": True}
AUDIT = {"durable_name": "audit", "ack_policy": "explicit", "deliver_policy": "all",
         "max_ack_pending": 1}


def create(client, replicas=1):
    client.api("STREAM.CREATE.fanfare", {**EVENTS, "num_replicas": replicas})
    client.api("CONSUMER.DURABLE.CREATE.fanfare.audit",
               {"stream_name": "fanfare", "config": AUDIT})


class One(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.server = NatsServer(self.directory)
        self.addCleanup(self.server.close)
        self.server.start()

    def test_messages_and_figures(self):
        with self.server.client() as client:
            create(client)
            ack = client.publish("fanfare.events.0", b"one", {"Nats-Msg-Id": "a", "X-Y": "z"})
            self.assertEqual(ack["seq"], 1)
            self.assertTrue(client.publish("fanfare.events.0", b"one",
                                           {"Nats-Msg-Id": "a"})["duplicate"])
            message = client.message("fanfare", 1)
            self.assertEqual((message.subject, message.data, message.headers),
                             ("fanfare.events.0", b"one", {"Nats-Msg-Id": "a", "X-Y": "z"}))
            self.assertEqual(client.streams(), ["fanfare"])
            self.assertEqual(client.consumers("fanfare")["audit"]["num_pending"], 1)
            with self.assertRaises(NatsError):
                client.message("fanfare", 7)
        self.assertEqual(self.server.monitor("/jsz")["messages"], 1)

    def test_what_is_pulled_and_given_back_comes_again(self):
        with self.server.client() as client:
            create(client)
            client.publish("fanfare.events.0", b"one")
            client.settle(client.pull("fanfare", "audit")[0], b"-NAK")
            [again] = client.pull("fanfare", "audit")
            self.assertEqual((again.subject, again.data), ("fanfare.events.0", b"one"))
            client.settle(again)
            self.assertEqual(client.pull("fanfare", "audit", seconds=0.1), [])
            self.assertEqual(client.consumer("fanfare", "audit")["ack_floor"]["stream_seq"], 1)

    def test_copies_are_compared(self):
        other = NatsServer(self.directory, "other")
        self.addCleanup(other.close)
        other.start()
        for server, names in ((self.server, "abcd"), (other, "abxde")):
            with server.client() as client:
                create(client)
                for name in names:
                    client.publish("fanfare.events.0", b"{}", {"Nats-Msg-Id": name})
                client.api("STREAM.MSG.DELETE.fanfare", {"seq": 1})
        wait_until(lambda: [len(copy_of(one, "fanfare")) for one in (self.server, other)] == [3, 4],
                   10, "all of it to be on disk")
        mine, theirs = copy_of(self.server, "fanfare"), copy_of(other, "fanfare")
        self.assertEqual({number: name for number, (_, name) in mine.items()},
                         {2: "b", 3: "c", 4: "d"})
        self.assertEqual(theirs[3][1], "x")
        self.assertEqual(differences([self.server, other], "fanfare"), [2, 3, 4],
                         "they were stored at other times")

    def test_a_restart_keeps_ports_and_messages(self):
        with self.server.client() as client:
            create(client)
            client.publish("fanfare.events.0", b"one")
        for end in (self.server.stop, self.server.kill):
            end()
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", self.server.port), 1)
            self.server.start()
            with self.server.client() as client:
                self.assertEqual(client.message("fanfare", 1).data, b"one")

    def test_a_bucket_is_read_as_the_last_word_says(self):
        with self.server.client() as client:
            client.api("STREAM.CREATE.KV_board", {"name": "KV_board", "subjects": ["$KV.board.>"],
                                                  "max_msgs_per_subject": 1,
                                                  "allow_rollup_hdrs": True})
            client.publish("$KV.board.a", b"1")
            client.publish("$KV.board.b", b"1")
            client.publish("$KV.board.a", b"2")
            client.publish("$KV.board.b", headers={"KV-Operation": "DEL"})
            self.assertEqual(client.key_values("board"), {"a": "2"})

    def test_its_folder_is_gone_in_the_end(self):
        self.server.close()
        self.assertFalse(self.server.directory.exists())


class Three(EndToEndCase):
    def test_goes_on_without_the_leader_of_a_stream(self):
        cluster = NatsCluster(self.directory)
        self.addCleanup(cluster.close)
        cluster.start()
        with cluster.client() as client:
            create(client, 3)
            client.publish("fanfare.events.0", b"one")
        leader = cluster.wait_stream_leader("fanfare")
        self.assertIsNotNone(cluster.consumer_leader("fanfare", "audit"))
        leader.kill()
        with cluster.client() as client:
            wait_until(lambda: cluster.stream_leader("fanfare") not in (None, leader), 20,
                       "another leader")
            self.assertEqual(client.publish("fanfare.events.0", b"two")["seq"], 2)
        leader.start()
        cluster.wait_healthy()
        cluster.wait_current("fanfare")
        with leader.client() as client:
            self.assertEqual(client.stream("fanfare")["state"]["messages"], 2)
        wait_until(lambda: all(len(copy_of(one, "fanfare")) == 2 for one in cluster.nodes), 10,
                   "all of it to be on all disks")
        self.assertEqual(differences(cluster.nodes, "fanfare"), [])


class Apart(EndToEndCase):
    def test_a_node_that_is_cut_off_is_left_behind_and_catches_up(self):
        network = Network()
        self.addCleanup(network.close)
        cluster = NatsCluster(self.directory, network)
        self.addCleanup(cluster.close)
        cluster.start()
        with cluster.client() as client:
            create(client, 3)
        lost = cluster.wait_stream_leader("fanfare")
        others = [node for node in cluster.nodes if node is not lost]
        where = network.nodes[cluster.nodes.index(lost)]
        network.cut_off(where)
        wait_until(lambda: cluster.stream_leader("fanfare", [lost]) not in (None, lost), 60,
                   "another leader")
        with others[0].client() as client:
            self.assertEqual(client.publish("fanfare.events.0", b"one")["seq"], 1)
        self.assertTrue(stays_true(lambda: not _reaches(lost), 0.3))
        network.heal(where)
        cluster.wait_healthy(60)
        cluster.wait_current("fanfare")


def _reaches(server):
    try:
        socket.create_connection((server.host, server.port), 0.1).close()
        return True
    except OSError:
        return False
