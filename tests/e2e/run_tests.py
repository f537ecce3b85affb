#!/usr/bin/env python3
"""Runs one test file, or one class of it: run_tests.py test_cli [Class[.method]].

The executable is named by the environment variable FANFARE. Exit codes: 0 passed, 1 failed,
77 something was skipped (ctest then shows the test as skipped, not as passed).
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
SKIPPED = 77


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    suite = unittest.defaultTestLoader.loadTestsFromName(".".join(arguments))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if result.testsRun == 0:
        print(f"no test in {arguments}", file=sys.stderr)
        return 1
    if not result.wasSuccessful():
        return 1
    return SKIPPED if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
