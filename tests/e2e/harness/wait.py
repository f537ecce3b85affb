"""Waiting for conditions. Nothing here or in a test sleeps in order to synchronise."""

import time

from harness.sanitizers import patient


def wait_until(condition, seconds=10.0, what="the condition"):
    """Returns the first true value of condition(); raises AssertionError after `seconds`
    of an idle machine, which are more on others."""
    seconds = patient(seconds)
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            missing = what() if callable(what) else what
            raise AssertionError(f"waited {seconds} s in vain for {missing}")
        time.sleep(0.01)


def stays_true(condition, seconds):
    """Whether condition() holds during all of `seconds`: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        time.sleep(0.01)
    return bool(condition())
