"""Processes with captured output, ended with the test that started them."""

import ctypes
import fcntl
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import unittest

from harness.sanitizers import patient

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For `preexec_fn`."""
    # ctest ends a test that takes too long with SIGKILL: no clean-up of ours would run then.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def require_program(*names):
    """Skips the test, loudly, if a program is missing."""
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return
    banner = "!" * 78
    text = f"SKIPPED: not installed: {', '.join(missing)} (see tests/*/packages.txt)"
    print(f"\n{banner}\n{text}\n{banner}", file=sys.stderr, flush=True)
    raise unittest.SkipTest(text)


def free_port():
    """A port of 127.0.0.1 that nobody listens on, for programs that cannot tell which port 0
    became. From below the ephemeral range, so that no outgoing connection takes it meanwhile."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Process:
    """A running program. `lines` holds what it has written so far, stdout and stderr together."""

    def __init__(self, arguments, env=None, cwd=None):
        self.arguments = [str(argument) for argument in arguments]
        self.lines = []
        self._changed = threading.Condition()
        self.started_at = time.monotonic()
        self._popen = subprocess.Popen(
            self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=cwd, env={**os.environ, **(env or {})},
            preexec_fn=die_with_parent)
        self._pump = threading.Thread(target=self._read_output, daemon=True)
        self._pump.start()

    @property
    def pid(self):
        return self._popen.pid

    @property
    def exit_code(self):
        """None while it runs; negative if a signal ended it."""
        return self._popen.poll()

    def _read_output(self):
        output = self._popen.stdout.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        rest, is_open = b"", True
        while is_open:
            poll.poll()
            # What has left the pipe is in `lines` once the lock is free: see catch_up().
            with self._changed:
                data = os.read(output, 65536)
                is_open = bool(data)
                *lines, rest = (rest + data).split(b"\n")
                if not is_open and rest:
                    lines.append(rest)
                self.lines += [line.decode("utf-8", "replace") for line in lines]
                self._changed.notify_all()

    def catch_up(self):
        """Returns once all lines that it had written before the call are in `lines`; after 2 s if
        it does not stop writing."""
        deadline = time.monotonic() + 2
        while self._pump.is_alive() and self._unread() and time.monotonic() < deadline:
            time.sleep(0.0005)
        with self._changed:
            pass

    def _unread(self):
        count = ctypes.c_int()
        fcntl.ioctl(self._popen.stdout, termios.FIONREAD, count)
        return count.value

    def text(self):
        self.catch_up()
        with self._changed:
            return "\n".join(self.lines)

    def wait_for_line(self, matches, seconds=10.0):
        """The first line for which matches(line) is true (what it returns, that is)."""
        deadline = time.monotonic() + patient(seconds)
        seen = 0
        with self._changed:
            while True:
                while seen < len(self.lines):
                    found = matches(self.lines[seen])
                    seen += 1
                    if found:
                        return found
                if not self._pump.is_alive() and seen == len(self.lines):
                    raise AssertionError(f"{self.arguments[0]} ended early:\n{self._joined()}")
                if not self._changed.wait(min(0.2, max(0.0, deadline - time.monotonic()))):
                    if time.monotonic() > deadline:
                        raise AssertionError(f"line did not come; output:\n{self._joined()}")

    def _joined(self):
        return "\n".join(self.lines)

    def send_signal(self, number):
        self._popen.send_signal(number)

    def wait(self, seconds=10.0):
        """The exit code, once it has ended and all of its output is in `lines`."""
        seconds = patient(seconds)
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.arguments[0]} did not end within {seconds} s:\n{self.text()}") from None
        self._pump.join(5)
        return code

    def stop(self, number=signal.SIGTERM, seconds=10.0):
        """Sends the signal and returns the exit code."""
        if self.exit_code is None:
            self.send_signal(number)
        return self.wait(seconds)

    def kill(self):
        """For clean-up: ends it, come what may."""
        if self.exit_code is None:
            self._popen.kill()
        self._popen.wait()
        self._pump.join(5)
        # What it has started may hold the pipe still, and the pump read from it.
        if not self._pump.is_alive():
            self._popen.stdout.close()
