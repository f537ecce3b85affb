"""Tests of an executable that was built with sanitizers: what is slow there, and what they report.

CMake says by FANFARE_TIME_FACTOR how much longer everything may take."""

import os

_SIGNS = ("Sanitizer: ", ": runtime error: ")
_FACTOR = float(os.environ.get("FANFARE_TIME_FACTOR", "1"))


def patient(seconds):
    """How long to wait for what takes at most `seconds` without sanitizers."""
    return seconds * _FACTOR


def reports(lines):
    """Of these lines of output, those that begin or end a sanitizer's report."""
    return [line for line in lines if any(sign in line for sign in _SIGNS)]
