"""run_test.py MODULE.METHOD: runs one test, as ctest wants it: exit 0, 1, or 77 for skipped."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

module, _, method = sys.argv[1].partition(".")
suite = unittest.TestSuite(
    test
    for group in unittest.defaultTestLoader.loadTestsFromName(module)
    for test in group
    if test.id().endswith("." + method)
)
if suite.countTestCases() != 1:
    sys.exit(f"{sys.argv[1]}: {suite.countTestCases()} tests of this name")
result = unittest.TextTestRunner(verbosity=2).run(suite)
if result.skipped:
    banner = "!" * 78
    print(f"{banner}\n!!! SKIPPED {sys.argv[1]}: {result.skipped[0][1]}\n{banner}", flush=True)
    sys.exit(77)
sys.exit(0 if result.wasSuccessful() else 1)
