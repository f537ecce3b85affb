"""The base of all end-to-end tests."""

import pathlib
import subprocess
import tempfile
import unittest

from harness.daemon import Daemon, executable
from harness.receiver import Receiver
from harness.sanitizers import patient, reports
from harness.wait import wait_until

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "data"


class EndToEndCase(unittest.TestCase):
    """Gives daemons and receivers that end with the test. At the end of every test each daemon
    that still runs must have lost no event from its books, and must end with exit code 0. No
    sanitizer may have reported anything."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="fanfare-e2e-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self._daemons = []

    def receiver(self, **options):
        receiver = Receiver(**options)
        self.addCleanup(receiver.close)
        return receiver

    def daemon(self, endpoints=(), env=None, ready=True, prefix=(), **config):
        """`endpoints`: mappings as in the configuration, None for no such key; keyword arguments:
        top-level keys."""
        directory = self.directory / f"daemon{len(self._daemons)}"
        directory.mkdir()
        if endpoints is not None:
            config["endpoints"] = list(endpoints)
        daemon = Daemon(config, directory, env, ready, prefix)
        self.addCleanup(daemon.kill)
        self._daemons.append(daemon)
        return daemon

    def process(self, process):
        self.addCleanup(process.kill)
        return process

    def run_fanfare(self, *arguments, stdin=None, env=None, seconds=20.0):
        """A command that ends by itself: (exit code, stdout, stderr)."""
        done = subprocess.run([executable(), *map(str, arguments)], input=stdin, env=env,
                              capture_output=True, timeout=patient(seconds), check=False)
        self.assertEqual(reports(done.stderr.decode().splitlines()), [], done.stderr.decode())
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def wait_delivered(self, daemon, endpoint, seconds=15.0):
        """Until nothing is pending at the endpoint."""
        wait_until(lambda: daemon.pending(endpoint) == 0, seconds,
                   lambda: f"pending 0 at {endpoint}: {daemon.pending(endpoint)}")

    def assert_conserved(self, daemon):
        self.assertEqual(daemon.metrics().imbalance(daemon.missed), [])

    def run(self, result=None):
        before = 0 if result is None else len(result.failures) + len(result.errors)
        outcome = super().run(result)
        if result is not None and len(result.failures) + len(result.errors) > before:
            for daemon in self._daemons:
                print(f"--- log of {daemon.config_file}\n{daemon.text()[-8000:]}")
        return outcome

    def tearDown(self):
        for daemon in self._daemons:
            if daemon.is_up() and daemon.expected_exit is not None:
                self.assert_conserved(daemon)
        for daemon in self._daemons:
            exit_code = None if daemon.expected_exit is None else daemon.stop()
            self.assertEqual(reports(daemon.lines), [])
            self.assertEqual(exit_code, daemon.expected_exit)
