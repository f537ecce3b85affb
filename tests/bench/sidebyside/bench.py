"""What all scenarios work with: options, places, cores; and the rounds."""

import itertools
import os
import time

from sidebyside import machine
from sidebyside.processes import BenchError


class Bench:
    """Options, places and cores."""

    def __init__(self, options, directory, cores):
        self.options = options
        self.directory = directory
        self.contender_core, self.load_core = cores
        self.all_cores = os.sched_getaffinity(0)
        self.fanfare = options.fanfare
        self.peer = options.peer
        self.both_ends = options.both_ends
        self._numbers = itertools.count(1)

    def next_number(self):
        """For names of files."""
        return next(self._numbers)

    def run(self, scenario):
        """All rounds of a scenario: in each, every contender once, one after the other, so that
        whatever else the machine does falls on all of them alike."""
        names = [name for name in scenario.contenders if name in self.options.contenders]
        if not names:
            raise BenchError(f"{scenario.name}: none of its contenders is asked for")
        rounds = []
        for number in range(min(self.options.rounds, scenario.rounds_max)):
            figures = {}
            for name in names:
                machine.wait_quiet((self.contender_core, self.load_core), self.options.quiet)
                start = time.monotonic()
                figures[name] = scenario.run(self, name)
                print(f"    {scenario.name}, round {number + 1}: {name} "
                      f"({time.monotonic() - start:.0f} s)", flush=True)
            rounds.append(figures)
        return rounds
