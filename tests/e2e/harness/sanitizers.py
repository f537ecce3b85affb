"""How long to wait on a slow machine, and what sanitizers report.

CMake says by FANFARE_TIME_FACTOR how much longer than on an idle machine everything may take."""

import os

_SIGNS = ("Sanitizer: ", ": runtime error: ")
_FACTOR = float(os.environ.get("FANFARE_TIME_FACTOR", "3"))


def patient(seconds):
    """How long to wait for what takes at most `seconds` on an idle machine."""
    return seconds * _FACTOR


def reports(lines):
    """Of these lines of output, those that begin or end a sanitizer's report."""
    return [line for line in lines if any(sign in line for sign in _SIGNS)]
