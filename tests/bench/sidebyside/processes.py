"""Processes on one core, ended by whoever started them, and ports for them."""

import ctypes
import os
import random
import resource
import signal
import socket
import subprocess
import time

from sidebyside.machine import Cpu

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """Something that a person has to know; ends the run."""


def free_port():
    """A port of 127.0.0.1 that nobody listens on, from below the ephemeral range."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, seconds, what, pause=0.01):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise BenchError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(pause)


def can_connect(port):
    """Whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def raise_descriptor_limit():
    """As many descriptors as allowed; returns their number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Process:
    """A program on one core (or several), its output in a file. Ends with the `with` block."""

    def __init__(self, arguments, core, log, env=None):
        self.arguments = [str(argument) for argument in arguments]
        self.log = log
        self.cpu = None  # known once finish() has returned
        cores = {core} if isinstance(core, int) else set(core)

        def prepare():
            # Should this be killed, so are those that it started.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, cores)
            raise_descriptor_limit()

        with open(log, "wb") as output:
            self.started_at = time.monotonic()
            # In a session of its own: Ctrl-C reaches only us, and we end it.
            try:
                self._popen = subprocess.Popen(
                    self.arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env={**os.environ, **(env or {})}, preexec_fn=prepare, start_new_session=True)
            except OSError as error:
                raise BenchError(f"cannot start {self.arguments[0]}: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self):
        return self._popen.pid

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    def check_alive(self):
        """True, or an error with what the program said."""
        if self._popen.poll() is not None:
            raise BenchError(f"{self.arguments[0]} ended early:\n{self.output[-2000:]}")
        return True

    def wait_listening(self, port, seconds=10):
        wait_until(lambda: self.check_alive() and can_connect(port), seconds,
                   f"{self.arguments[0]} does not listen on port {port}")

    def finish(self):
        """Waits until it has ended by itself, remembers its CPU time, and returns its output."""
        _, status, usage = os.wait4(self.pid, 0)
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = Cpu(usage.ru_utime, usage.ru_stime, usage.ru_utime + usage.ru_stime)
        if self._popen.returncode != 0:
            raise BenchError(f"{' '.join(self.arguments)} failed:\n{self.output[-2000:]}")
        return self.output

    def end(self):
        """SIGTERM, and SIGKILL for who does not heed it."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(5)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait()
