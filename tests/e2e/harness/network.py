"""A network of the test's own, in which machines can be cut off."""

import ctypes
import dataclasses
import os
import subprocess
import unittest

from harness.process import Process, require_program

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


@dataclasses.dataclass
class Node:
    """A place in the network: what runs with `prefix` before its command has `address`."""
    address: str
    holder: Process

    @property
    def prefix(self):
        return ("nsenter", "-t", str(self.holder.pid), "-n", "--")


class Network:
    """The calling thread, what it starts and its threads to come are in a network of their own
    until close(), with a switch that so many nodes hang on. Nothing of the machine's own network is
    touched. Call it and close() before there are other threads that use the network."""

    def __init__(self, nodes=3):
        require_program("ip", "iptables", "nsenter")
        if os.geteuid() != 0:
            raise unittest.SkipTest("a network of one's own needs root")
        self._before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if _LIBC.unshare(_CLONE_NEWNET) != 0:
            os.close(self._before)
            raise unittest.SkipTest("a network of one's own is not allowed here")
        self.nodes = []
        try:
            self._build(nodes)
        except BaseException:
            self.close()
            raise

    def _build(self, nodes):
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "switch", "type", "bridge")
        _run("ip", "address", "add", "10.77.0.254/24", "dev", "switch")
        _run("ip", "link", "set", "switch", "up")
        for number in range(1, nodes + 1):
            # It lives as long as its holder, which dies with us.
            holder = Process(["unshare", "-n", "sh", "-c", "echo there; exec sleep infinity"])
            node = Node(f"10.77.0.{number}", holder)
            self.nodes.append(node)
            holder.wait_for_line(lambda line: line == "there")
            _run("ip", "link", "add", f"node{number}", "type", "veth", "peer", "name", "uplink",
                 "netns", str(holder.pid))
            _run("ip", "link", "set", f"node{number}", "master", "switch", "up")
            for command in (("link", "set", "lo", "up"), ("link", "set", "uplink", "up"),
                            ("address", "add", f"{node.address}/24", "dev", "uplink")):
                _run(*node.prefix, "ip", *command)

    def cut_off(self, node):
        """Nothing gets to the node or from it any more, and nobody is told."""
        for chain, direction in (("INPUT", "-i"), ("OUTPUT", "-o")):
            _run(*node.prefix, "iptables", "-w", "-A", chain, direction, "uplink", "-j", "DROP")

    def heal(self, node):
        _run(*node.prefix, "iptables", "-w", "-F")

    def close(self):
        for node in self.nodes:
            node.holder.kill()
        _LIBC.setns(self._before, _CLONE_NEWNET)
        os.close(self._before)


def _run(*command):
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
