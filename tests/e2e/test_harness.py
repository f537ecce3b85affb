"""What the tests themselves rely on."""

import unittest

from harness.case import EndToEndCase

REPORTS = ("WARNING: ThreadSanitizer: data race (pid=1)",
           "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
           "==1==ERROR: LeakSanitizer: detected memory leaks",
           "a.cc:1:2: runtime error: signed integer overflow")


class Sanitizers(unittest.TestCase):
    def outcome(self, text, **attributes):
        """What comes of a test whose daemon writes `text` before anything else."""
        class Case(EndToEndCase):
            def runTest(self):
                prefix = ("sh", "-c", 'echo "$0" >&2; exec "$@"', text)
                for name, value in attributes.items():
                    setattr(self.daemon(prefix=prefix), name, value)
        result = unittest.TestResult()
        Case().run(result)
        return [failure for _, failure in result.failures + result.errors]

    def test_that_report_something_fail_the_test(self):
        for report in REPORTS:
            [failure] = self.outcome(report, expected_exit=0)
            self.assertIn(report, failure)

    def test_that_report_something_fail_the_test_of_a_daemon_that_may_die(self):
        [failure] = self.outcome(REPORTS[0], expected_exit=None)
        self.assertIn(REPORTS[0], failure)

    def test_that_report_nothing_do_not(self):
        self.assertEqual(self.outcome("a plain line", expected_exit=0), [])
