"""A page in Debian's Chromium, driven by Playwright (node/drive.mjs)."""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

from harness.case import EndToEndCase
from harness.node import installed
from harness.process import die_with_parent, require_program

HERE = pathlib.Path(__file__).resolve().parent


def build_directory():
    return pathlib.Path(os.environ["FANFARE"]).resolve().parent.parent


class Browser:
    """One page at a time; `open` begins with a fresh one. Every call ends within 30 s."""

    def __init__(self):
        require_program("chromium", "node", "npm")
        directory = installed("browser", HERE / "node")
        self._popen = subprocess.Popen(
            ["node", "drive.mjs"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=die_with_parent)
        self._answers = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self._next_answer()

    def _read(self):
        for line in self._popen.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"ok": False, "error": "the browser has ended"})

    def _next_answer(self):
        answer = self._answers.get(timeout=60)
        if not answer["ok"]:
            raise AssertionError(answer["error"])
        return answer["result"]

    def _tell(self, **command):
        self._popen.stdin.write(json.dumps(command).encode() + b"\n")
        self._popen.stdin.flush()
        return self._next_answer()

    def open(self, url, **options):
        """Status and header fields of what came. `options`: those of Playwright's newContext."""
        return self._tell(do="open", url=url, options=options)

    def page(self, method, *args):
        return self._tell(do="page", method=method, args=list(args))

    def seen(self):
        return self._tell(do="seen")

    def evaluate(self, expression):
        return self.page("evaluate", expression)

    def text(self, selector):
        return self.page("innerText", selector)

    def click(self, selector):
        self.page("click", selector)

    def close(self):
        self._popen.stdin.close()
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._popen.stdout.close()


class BrowserCase(EndToEndCase):
    """Gives a browser per class. At the end of every test the page must have asked nobody but its
    daemons, without any error or violation of its policy."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.expected_console = []  # patterns of messages that are no harm

    def run(self, result=None):
        before = 0 if result is None else len(result.failures) + len(result.errors)
        outcome = super().run(result)
        if result is not None and len(result.failures) + len(result.errors) > before:
            seen = self.browser.seen() or {}
            print(f"--- what the page said: {seen.get('errors')} {seen.get('console')}")
        return outcome

    def show(self, daemon, **options):
        return self.browser.open(f"http://{daemon.admin}/", **options)

    def row(self, name):
        """Selector of an endpoint's row."""
        return f'#endpoints-rows tr[data-name="{name}"]'

    def wait_text(self, selector, text, seconds=5.0):
        """Until the element's text holds `text`; how long that took."""
        begun = time.monotonic()
        deadline = begun + seconds
        shown = None
        while time.monotonic() < deadline:
            shown = self.browser.evaluate(
                f"document.querySelector({json.dumps(selector)})?.innerText ?? null")
            if shown is not None and text in shown:
                return time.monotonic() - begun
            time.sleep(0.05)
        raise AssertionError(f"{selector} does not show {text!r} but {shown!r}")

    def wait_true(self, expression, seconds=5.0):
        deadline = time.monotonic() + seconds
        while not self.browser.evaluate(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"not true within {seconds} s: {expression}")
            time.sleep(0.05)

    def screenshot(self, name, whole=True):
        directory = build_directory() / "tests" / "browser" / "screenshots"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.png"
        self.browser.page("screenshot", {"path": str(path), "fullPage": whole})
        print(f"screenshot: {path}", file=sys.stderr)

    def is_harmless(self, message):
        return any(pattern in message for pattern in self.expected_console)

    def assert_quiet(self, *daemons):
        """Nothing went wrong in the page, and nobody else was asked for anything."""
        seen = self.browser.seen()
        self.assertEqual(seen["errors"], [])
        self.assertEqual([text for text in seen["console"] if not self.is_harmless(text)], [])
        allowed = tuple(f"http://{daemon.admin}/" for daemon in daemons) + ("data:",)
        for request in seen["requests"]:
            self.assertTrue(request.partition(" ")[2].startswith(allowed), request)
        self.assertGreater(len(seen["requests"]), 1)
