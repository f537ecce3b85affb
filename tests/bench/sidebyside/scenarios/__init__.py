"""All scenarios by their names, in the order in which they run."""

from sidebyside.scenarios.latency import Latency
from sidebyside.scenarios.throughput import Endpoints, Free, One, Strict

ALL = {scenario.name: scenario
       for scenario in (One(), Free(), Strict(), Endpoints(), Latency())}
