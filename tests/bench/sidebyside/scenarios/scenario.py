"""What a scenario is."""

import dataclasses


class Skip(Exception):
    """This machine cannot run the scenario; says why."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A figure of a contender in the table. `only`: of these contenders."""

    key: str
    title: str
    digits: int = 1


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Something worked out from the figures of one round; `goal` is what issue or contract ask
    for."""

    title: str
    value: float
    goal: str = ""
    digits: int = 2


class Scenario:
    """Derive; `run` is called once per contender and round."""

    name = ""
    about = ""
    contenders = ("reference", "fanfare")
    columns = ()
    rounds_max = 1000

    def run(self, bench, contender):
        """The figures of one contender in one round."""
        raise NotImplementedError

    def ratios(self, figures):
        """Ratios within one round. `figures`: contender to figures; not all need be there."""
        return []


REFERENCE_COLUMNS = (
    Column("apart_received_us", "nginx µs/POST, a core each", 2),
    Column("apart_sent_us", "wrk µs/POST, a core each", 2),
    Column("apart_per_second", "POST/s, a core each", 0),
    Column("together_received_us", "nginx µs/POST, one core", 2),
    Column("together_sent_us", "wrk µs/POST, one core", 2),
    Column("together_per_second", "POST/s, one core", 0),
)


def quotient(title, figures, above, below, goal="", key="cpu_us"):
    """A list with the ratio `above`/`below`, each a (contender, key) or a contender; empty if one
    of them is missing."""
    values = []
    for part in (above, below):
        contender, part_key = part if isinstance(part, tuple) else (part, key)
        value = figures.get(contender, {}).get(part_key)
        if not value:
            return []
        values.append(value)
    return [Ratio(title, values[0] / values[1], goal)]
