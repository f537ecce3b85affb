"""All scenarios by their names, in the order in which they run."""

from sidebyside.scenarios.batches import Batches
from sidebyside.scenarios.crowd import Thousand, Threads
from sidebyside.scenarios.durable import Durable
from sidebyside.scenarios.fleet import Fleet
from sidebyside.scenarios.latency import Latency
from sidebyside.scenarios.resting import Connections, Idle
from sidebyside.scenarios.backlog import Pending
from sidebyside.scenarios.streams import Streams
from sidebyside.scenarios.throughput import Endpoints, Free, One, Strict

ALL = {scenario.name: scenario
       for scenario in (One(), Free(), Strict(), Endpoints(), Batches(), Latency(), Thousand(),
                        Pending(), Durable(), Fleet(), Streams(), Threads(), Idle(), Connections())}
