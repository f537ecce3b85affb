"""The first command of the README, as a user runs it."""

import contextlib
import os
import pathlib
import re
import subprocess
import unittest

from harness import SOURCE, WORK, environment, require


def quickstart(*options):
    environment()
    env = {**os.environ, "TMPDIR": str(WORK / "tmp")}
    return subprocess.run(
        [SOURCE / "deploy/quickstart", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        env=env,
    )


def left_behind():
    """Directories and processes of quickstarts."""
    directories = list((WORK / "tmp").glob("fanfare-quickstart.*"))
    mark = str(WORK / "tmp/fanfare-quickstart.").encode()
    processes = [line for line in command_lines() if mark in line]
    return directories + processes


def command_lines():
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes()


class Quickstart(unittest.TestCase):
    def check(self, done):
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = dict(re.findall(r"^ +(steady|flaky) +(\d.*)$", done.stdout, re.MULTILINE))
        steady, flaky = ([int(n) for n in rows[name].split()] for name in ("steady", "flaky"))
        # Successes, failures and pending before, then after.
        self.assertEqual(steady[:3] + flaky[:3], [0] * 6)
        self.assertGreater(steady[3], 0)
        self.assertEqual(steady[3], flaky[3])
        self.assertEqual((steady[4], steady[5], flaky[5]), (0, 0, 0))
        self.assertGreater(flaky[4], 0)
        self.assertEqual(left_behind(), [])

    def test_shows_recorded_events_arriving_and_stops(self):
        self.check(quickstart())

    def test_shows_the_events_of_a_real_registry_and_stops(self):
        require("docker-registry", "skopeo")

        self.check(quickstart("--registry"))

    def test_keep_leaves_it_running_and_says_how_to_stop_it(self):
        done = quickstart("--keep")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(left_behind())
        stop = re.search(r"stop all: +(kill [\d ]+; rm -r \S+)$", done.stdout, re.MULTILINE)[1]

        subprocess.run(["sh", "-c", stop], check=True)

        for pid in re.findall(r"\b\d+\b", stop.partition(";")[0]):
            subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], check=True, timeout=40)
        self.assertEqual(left_behind(), [])

    def test_unknown_option_is_refused(self):
        done = quickstart("--kep")

        self.assertEqual(done.returncode, 2)
        self.assertIn("--kep", done.stdout)
