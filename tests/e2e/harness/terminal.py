"""A program under a pseudo-terminal, as a user would run it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from harness.process import die_with_parent
from harness.sanitizers import patient


class Terminal:
    """Runs a command with a terminal as stdin, stdout and, unless `stderr_apart`, stderr."""

    def __init__(self, arguments, rows=24, columns=120, env=None, stderr_apart=False):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings_before = termios.tcgetattr(slave)
        self._slave = slave
        self._output = b""
        self._lock = threading.Lock()
        self._popen = subprocess.Popen(
            [str(argument) for argument in arguments], stdin=slave, stdout=slave,
            stderr=subprocess.PIPE if stderr_apart else slave,
            env={**os.environ, "TERM": "xterm", **(env or {})}, start_new_session=True,
            preexec_fn=_take_terminal)
        self._is_closing = False
        self._pump = threading.Thread(target=self._read, daemon=True)
        self._pump.start()

    def _read(self):
        while not self._is_closing:
            ready, _, _ = select.select([self._master], [], [], 0.05)
            if not ready:
                continue
            try:
                with self._lock:
                    self._output += os.read(self._master, 65536)
            except OSError:
                return

    @property
    def pid(self):
        return self._popen.pid

    @property
    def exit_code(self):
        return self._popen.poll()

    def output(self):
        """All that was written so far, escapes included."""
        with self._lock:
            return self._output.decode("utf-8", "replace")

    def text(self):
        """The same without escapes."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.output())

    def screens(self):
        """What was drawn so far, one text per redraw."""
        return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
                for screen in self.output().split("\x1b[H")]

    def wait_for(self, pattern, seconds=10.0, start=0):
        """Until the text behind `start` matches; returns where the match ends."""
        deadline = time.monotonic() + patient(seconds)
        while True:
            found = re.compile(pattern).search(self.text(), start)
            if found:
                return found.end()
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} did not come; output:\n{self.text()}")
            time.sleep(0.01)

    def type(self, keys):
        os.write(self._master, keys.encode())

    def interrupt(self):
        self.type("\x03")

    def settings(self):
        return termios.tcgetattr(self._slave)

    def wait(self, seconds=10.0):
        """The exit code, once it has ended and all of its output is here."""
        try:
            code = self._popen.wait(patient(seconds))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {seconds} s:\n{self.text()}") from None
        deadline = time.monotonic() + patient(1)
        while self._is_more_to_read() and time.monotonic() < deadline:
            time.sleep(0.01)
        return code

    def _is_more_to_read(self):
        """What is read is in the output, too."""
        with self._lock:
            return bool(select.select([self._master], [], [], 0)[0])

    def close(self):
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()
        if self._popen.stderr:
            self._popen.stderr.close()
        self._is_closing = True
        self._pump.join(5)
        os.close(self._master)
        os.close(self._slave)


def _take_terminal():
    die_with_parent()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
