"""NATS servers with JetStream: one, or a cluster of three; started, killed and started again by the
test that needs them."""

import json
import pathlib
import shutil

from harness.http import fetch
from harness.nats_client import NatsClient, NatsError
from harness.process import Process, free_port, require_program
from harness.wait import wait_until

GONE = (OSError, AssertionError, NatsError, ConnectionError)


class NatsServer:
    """One server, whose ports, name and folder stay the same over restarts. Starts at once. `more`:
    keys of its configuration; `prefix`: a command that runs it."""

    def __init__(self, directory, name="n1", host="127.0.0.1", more=None, prefix=()):
        require_program("nats-server")
        self.name, self.host, self._prefix = name, host, list(prefix)
        self.directory = pathlib.Path(directory) / f"nats-{name}"
        self.directory.mkdir()
        self.port, self.monitor_port, self.route_port = _free_ports(3)
        self.more = dict(more or {})
        self.store_bytes_max = 1 << 36  # that streams may ask for
        self.process = None

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"nats://{self.address}"

    @property
    def store(self):
        return self.directory / "store"

    def start(self, wait=True, jetstream=True):
        """With what lies in its folder. `wait`: until it takes connections."""
        config = {"server_name": self.name, "host": self.host, "port": self.port,
                  "http": f"{self.host}:{self.monitor_port}", **self.more}
        if jetstream:
            config["jetstream"] = {"store_dir": str(self.store), "max_memory_store": 1 << 28,
                                   "max_file_store": self.store_bytes_max}
        file = self.directory / "nats.conf"
        file.write_text(json.dumps(config, indent=1), encoding="utf-8")
        self.process = Process([*self._prefix, "nats-server", "-c", file])
        if wait:
            wait_until(self.is_healthy, 20, lambda: f"NATS to be healthy:\n{self.log()}")
        return self

    def log(self):
        return self.process.text() if self.process else ""

    def is_running(self):
        return self.process is not None and self.process.exit_code is None

    def is_healthy(self):
        """Whether it says so. A member of a cluster does once it has caught up."""
        if self.process.exit_code is not None:
            raise AssertionError(f"nats-server has ended:\n{self.log()}")
        try:
            return self.monitor("/healthz")["status"] == "ok"
        except GONE:
            return False

    def monitor(self, target):
        """What its monitoring says: /varz, /jsz?streams=1&consumers=1, /connz, /healthz, …"""
        return json.loads(fetch(f"{self.host}:{self.monitor_port}", "GET", target).body)

    def kill(self):
        """kill -9."""
        if self.process is not None:
            self.process.kill()

    def stop(self, seconds=20.0):
        """As told to by SIGTERM."""
        if self.is_running():
            self.process.stop(seconds=seconds)
        self.kill()

    def restart(self):
        self.stop()
        return self.start()

    def forget(self):
        """Its store is gone; it must not be running."""
        shutil.rmtree(self.store, ignore_errors=True)

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def client(self, seconds=10.0):
        return NatsClient(self.address, seconds)

    def connections(self):
        """How many clients are connected."""
        return self.monitor("/varz")["connections"]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(int(field) for field in fields.split()[11:13]) / 100

    def store_bytes(self):
        return sum(file.stat().st_size for file in self.store.rglob("*") if file.is_file())


class NatsCluster:
    """Three servers. `network`: a Network with as many nodes, in which each runs in a place of its
    own and can be cut off. Starts at once and has a leader of its own affairs then."""

    def __init__(self, directory, network=None, size=3, more=None):
        self.network = network
        self.nodes = []
        for number in range(size):
            node = network.nodes[number] if network else None
            self.nodes.append(NatsServer(
                directory, f"n{number + 1}", node.address if node else "127.0.0.1", more,
                node.prefix if node else ()))
        routes = [f"nats://{node.host}:{node.route_port}" for node in self.nodes]
        for node in self.nodes:
            node.more["cluster"] = {"name": "test", "host": node.host, "port": node.route_port,
                                    "routes": routes}

    def start(self):
        for node in self.nodes:
            node.start(wait=False)
        try:
            self.wait_healthy()
        except AssertionError:
            self.close()
            raise
        return self

    @property
    def urls(self):
        return [node.url for node in self.nodes]

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def close(self):
        for node in self.nodes:
            node.close()

    def meta_leader(self, asked=None):
        """The name of the server that leads the cluster's own affairs, or None. `asked`: the
        servers whose word counts; else all that run."""
        for node in asked or self.nodes:
            try:
                leader = node.monitor("/jsz").get("meta_cluster", {}).get("leader")
            except GONE:
                continue
            if leader:
                return leader
        return None

    def wait_healthy(self, seconds=30.0):
        """All servers run, have caught up, and one of them leads."""
        wait_until(lambda: self.meta_leader() and all(node.is_healthy() for node in self.nodes),
                   seconds, lambda: "a healthy cluster:\n" + "\n".join(
                       f"--- {node.name}\n{node.log()[-2000:]}" for node in self.nodes))

    def client(self, seconds=10.0, without=()):
        """Connected to any server that runs and is not among `without`."""
        for node in self.nodes:
            if node.is_running() and node not in without:
                try:
                    return node.client(seconds)
                except GONE:
                    continue
        raise AssertionError("no server can be reached")

    def _ask(self, question, seconds=3.0, without=()):
        """The answer to a question, or None while there is none."""
        try:
            with self.client(seconds, without) as client:
                return question(client)
        except GONE:
            return None

    def stream(self, name, without=()):
        """What is known of a stream, or None if nobody can say."""
        return self._ask(lambda client: client.stream(name), without=without)

    def stream_leader(self, name, without=()):
        """The server that leads this stream, or None."""
        info = self.stream(name, without)
        leader = info and info.get("cluster", {}).get("leader")
        return self.node(leader) if leader else None

    def consumer_leader(self, stream, consumer, without=()):
        info = self._ask(lambda client: client.consumer(stream, consumer), without=without)
        leader = info and info.get("cluster", {}).get("leader")
        return self.node(leader) if leader else None

    def wait_stream_leader(self, name, without=(), seconds=30.0):
        return wait_until(lambda: self.stream_leader(name, without), seconds,
                          f"a leader of {name}")

    def wait_current(self, name, seconds=60.0):
        """Until every copy of the stream has caught up."""
        def is_current():
            info = self.stream(name)
            cluster = (info or {}).get("cluster", {})
            return bool(cluster.get("leader")) and all(
                peer["current"] and not peer.get("offline")
                for peer in cluster.get("replicas") or ())
        wait_until(is_current, seconds, lambda: f"{name} to be the same everywhere: "
                   f"{(self.stream(name) or {}).get('cluster')}")


def _free_ports(count):
    ports = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)
