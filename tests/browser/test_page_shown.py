"""The status page as somebody sees it: what it shows, how fast, and in what form."""

import json
import re

from browser import BrowserCase
from harness.events import envelope, event, numbered
from harness.http import fetch
from harness.receiver import Answer
from harness.wait import wait_until

NO_LETTERS = "status of 404"


class Shown(BrowserCase):
    def setUp(self):
        super().setUp()
        self.target = self.receiver()
        self.expected_console = [NO_LETTERS]

    def start(self, *names, **config):
        return self.daemon([{"name": name, "url": self.target.url(f"/{name}"), "threshold": 3,
                             "backoff": "1s"} for name in names], **config)

    def test_demo(self):
        self.target.on("/bad", Answer(503))
        daemon = self.start("audit", "bad", "billing", dead_letters={"dir": str(self.directory / "l")})
        print(self.show(daemon))
        for n in range(20):
            daemon.post(numbered(n * 10, 10))
            import time
            time.sleep(0.2)
        self.wait_text(self.row("bad"), "breaker open")
        self.screenshot("demo")
        print(self.browser.seen())
