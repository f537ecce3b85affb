"""Three servers and three replicas under steady load, while servers and replicas are killed, cut
off and replaced: nothing that was acknowledged is lost, order holds, repeats are few."""

import threading
import unittest

from harness.fleet_case import FleetCase
from harness.nats_case import STREAM, is_long, times
from harness.nats_copies import differences, published_again
from harness.network import Network
from harness.wait import wait_until


class Leaders(FleetCase):
    def test_the_leader_of_the_stream_is_killed(self):
        for _ in range(times(2, 20)):
            leader = self.cluster.wait_stream_leader(STREAM)
            self.pause(0.0, 0.5)
            leader.kill()
            self.disturbances += 1
            wait_until(lambda: self.cluster.stream_leader(STREAM) not in (None, leader), 60,
                       "another leader")
            self.wait_traffic()
            leader.start()
            self.cluster.wait_healthy(60)
            self.cluster.wait_current(STREAM)
        self.settle()


class Replicas(FleetCase):
    def test_killed_at_random(self):
        for _ in range(times(5, 50)):
            self.pause(0.1, 1.0)
            self.kill_replica()
            self.disturbances += 1
            self.pause(0.0, 0.5)
            self.add_replica()
            self.tell_sender()
        self.wait_traffic()
        self.settle()

    def test_come_and_go(self):
        """Stops in good order cost no repeat that could have been spared."""
        for _ in range(times(4, 30)):
            self.add_replica()
            self.tell_sender()
            self.pause(0.2, 1.0)
            self.stop_replica()
            self.disturbances += 1
            self.wait_traffic(5)
        self.settle()

    def test_start_while_a_server_is_gone(self):
        """Readers of history live on one server each, and are as silent as that."""
        with self.cluster.client() as client:
            readers = [one for one in client.consumers(STREAM).values()
                       if "durable_name" not in one["config"]]
        server = self.cluster.node(readers[0]["cluster"]["leader"])
        server.kill()
        self.disturbances += 1
        self.add_replica()
        self.tell_sender()
        self.wait_traffic()
        server.start()
        self.cluster.wait_healthy(60)
        self.settle()

    def test_killed_with_a_server_at_a_time(self):
        for _ in range(times(2, 15)):
            server = self.random.choice(self.cluster.nodes)
            one = threading.Thread(target=server.kill)
            one.start()
            self.kill_replica()
            one.join()
            self.disturbances += 2
            self.add_replica()
            self.tell_sender()
            server.start()
            self.cluster.wait_healthy(60)
            self.cluster.wait_current(STREAM)
            self.wait_traffic()
        self.settle()


@unittest.skipUnless(is_long(), "the copies of servers of 2.9 come to differ: only in long runs")
class Apart(FleetCase):
    """After a cut the copies of the stream on servers of 2.9 may differ for good. Which of them an
    endpoint gets its events from, and so what it gets, is chance then, and not ours to mend."""

    def wait_all(self, name, seconds):
        self.unless_copies_differ(super().wait_all, name, seconds)

    def assert_order(self, promised):
        self.unless_copies_differ(super().assert_order, promised)

    def assert_few_repeats(self):
        self.unless_copies_differ(super().assert_few_repeats)

    def unless_copies_differ(self, check, *values):
        try:
            check(*values)
        except AssertionError as error:
            numbers = differences(self.cluster.nodes, STREAM)
            if not numbers:
                raise
            self.assertEqual(self.ledger.wrong, [])
            for replica in self.replicas:
                print(f"--- log of {replica.config_file}\n{replica.text()[-4000:]}")
            self.skipTest(f"the servers' copies differ at {len(numbers)} numbers, {numbers[:10]} …,"
                          f" so nobody can say whose this is: {error}")

    def repeats_of_servers(self):
        with self.cluster.client() as client:
            return published_again(client, STREAM)

    def make_network(self):
        network = Network(3)
        self.addCleanup(network.close)
        return network

    def test_each_server_is_cut_off_for_a_while(self):
        for _ in range(times(1, 4)):
            for node, place in zip(self.cluster.nodes, self.network.nodes):
                self.network.cut_off(place)
                self.disturbances += 1
                wait_until(lambda n=node: self.cluster.stream_leader(STREAM, [n])
                           not in (None, n), 90, "a leader among the others")
                self.wait_traffic(20, 120)
                self.network.heal(place)
                self.cluster.wait_healthy(90)
                self.cluster.wait_current(STREAM)
        self.settle()

    def test_a_majority_is_cut_off_and_comes_back(self):
        places = self.network.nodes[:2]
        for place in places:
            self.network.cut_off(place)
        self.disturbances += 1
        wait_until(lambda: self.sender.statuses and self.sender.statuses[-1][1] == 503, 60,
                   "503 without a majority")
        for place in places:
            self.network.heal(place)
        self.cluster.wait_healthy(90)
        self.wait_traffic(20, 120)
        self.settle()


class Rolling(FleetCase):
    def test_all_servers_and_all_replicas_are_restarted_one_by_one(self):
        for _ in range(times(1, 3)):
            for node in self.cluster.nodes:
                node.restart()
                self.disturbances += 1
                self.cluster.wait_healthy(60)
                self.cluster.wait_current(STREAM)
                self.wait_traffic()
            for _ in range(3):
                self.add_replica()
                self.tell_sender()
                self.stop_replica(0)
                self.disturbances += 1
                self.wait_traffic()
        self.settle()
