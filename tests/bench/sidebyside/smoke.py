"""Whether the benchmark itself works: one short round, with figures that make sense."""

import json

from sidebyside import report
from sidebyside.processes import BenchError


def prepare(options):
    """The shortest run that touches load, sink, daemon, both ends, table and JSON."""
    options.rounds, options.seconds, options.quiet = 1, 1.0, 0.0
    options.only, options.contenders = ["one"], ["reference", "fanfare"]


def check(directory, result):
    """Reads the result back and looks at it. Only a very generous bound: other tests may run."""
    file = directory / "result.json"
    report.write_json(file, result)
    scenario = json.loads(file.read_text())["scenarios"]["one"]
    figures = scenario["rounds"][0]
    expect(figures["fanfare"]["accepted"] > 0, "nothing was accepted")
    expect(figures["fanfare"]["missing"] == 0, "accepted is not delivered", figures["fanfare"])
    for contender, keys in (("reference", ("apart_us", "together_us", "apart_per_second")),
                            ("fanfare", ("cpu_us", "in_per_second", "peak_rss_mib",
                                         "sustained_cpu_us", "sustained_per_second"))):
        for key in keys:
            expect(figures[contender][key] > 0, f"{contender}: {key}", figures[contender])
    ratio = scenario["ratios"]["fanfare / (nginx + wrk, a core each)"]["median"]
    expect(0.1 < ratio < 100, f"an event cannot cost {ratio} times its parts")


def expect(condition, what, figures=""):
    if not condition:
        raise BenchError(f"smoke test: {what} {figures}")
