"""Runs scenarios; see tests/bench/README.md. Started by tests/bench/run."""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from sidebyside import machine, report, smoke
from sidebyside.bench import Bench
from sidebyside.processes import BenchError
from sidebyside.scenarios import ALL
from sidebyside.scenarios.scenario import Skip

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
SKIPPED = 77  # ctest shows it as skipped, not as passed
CONTENDERS = ("reference", "fanfare", "tuned", "registry")


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Side-by-side benchmark.")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--seconds", type=float, default=10, help="of load, default 10")
    parser.add_argument("--only", action="append", metavar="SCENARIO", choices=list(ALL),
                        help=f"one of {', '.join(ALL)}; may be repeated")
    parser.add_argument("--contenders", default=",".join(CONTENDERS),
                        help=f"separated by commas; default {','.join(CONTENDERS)}")
    parser.add_argument("--pending", type=int, default=1_000_000, metavar="EVENTS",
                        help="for the scenario pending; default 1000000")
    parser.add_argument("--quiet", type=float, default=20, metavar="SECONDS",
                        help="before each measurement, wait that long at most for others to leave "
                             "the cores alone; default 20")
    started_in = pathlib.Path(os.environ.get("STARTED_IN", "."))  # run changes its directory
    parser.add_argument("--json", type=lambda name: started_in / name, metavar="FILE")
    parser.add_argument("--record", action="store_true", help="append to tests/bench/RESULTS.md")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)
    for name in ("fanfare", "peer", "both-ends"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.contenders = options.contenders.split(",")
    unknown = set(options.contenders) - set(CONTENDERS)
    if unknown:
        parser.error(f"unknown contenders: {', '.join(sorted(unknown))}")
    if options.smoke:
        smoke.prepare(options)
    return options


def run_all(options, directory):
    cores = machine.cores()
    if cores is None:
        raise Skip("this needs two cores: one for the contender, one for load and sink")
    bench = Bench(options, directory, cores)
    summaries, lines = {}, []
    for name in options.only or ALL:
        scenario = ALL[name]
        print(f"==> {name}: {scenario.about}", flush=True)
        try:
            summaries[name] = report.summarise(scenario, bench.run(scenario))
        except Skip as reason:
            print(f"!!! {name} is SKIPPED: {reason}", flush=True)
            lines += [f"### {name}: skipped", "", f"{reason}", ""]
            continue
        table = report.scenario_lines(scenario, summaries[name])
        print("\n".join(table), flush=True)
        lines += table
    return report.results(options, ROOT, summaries), lines


def main(arguments):
    options = parse_options(arguments)
    # `with` blocks end what they started, and remove the directory. A script's background job
    # ignores SIGINT unless told otherwise.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-bench-"))
    try:
        result, lines = run_all(options, directory)
        if options.smoke:
            smoke.check(directory, result)
        if options.json:
            report.write_json(options.json, result)
        if options.record:
            report.record(HERE / "RESULTS.md", result, lines)
        return 0
    except Skip as reason:
        print(f"!!! SKIPPED: {reason}", file=sys.stderr)
        return SKIPPED
    except BenchError as error:
        print(f"!!! {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
