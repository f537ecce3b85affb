"""The tail of events on the status page."""

import json
import time

from browser import BrowserCase
from harness.events import envelope, event, numbered
from harness.receiver import Answer

MARKUP = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>'


class Live(BrowserCase):
    def setUp(self):
        super().setUp()
        self.target = self.receiver()
        self.expected_console = ["status of 404"]  # no dead letters

    def start(self, **config):
        self.fanfare = self.daemon([{"name": "audit", "url": self.target.url("/audit")}], **config)
        return self.fanfare

    def rows(self):
        """The events shown, newest first: a list of cells each."""
        return self.browser.evaluate(
            "[...document.querySelectorAll('#events-rows tr:not([hidden])')]"
            ".map((row) => [...row.cells].map((cell) => cell.innerText))")

    def test_an_event_is_shown_within_two_seconds(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        self.wait_text("#events-empty", "No event has come yet.")
        begun = time.monotonic()
        daemon.post(envelope(event("e1", repository="library/first")))
        self.wait_text("#events-rows", "library/first", 2)
        self.wait_text("#endpoints-rows", "up")
        self.wait_true("document.querySelector('#endpoints-rows .delivered').innerText !== '·'", 2)
        self.assertLessEqual(time.monotonic() - begun, 2)
        self.assert_quiet(daemon)

    def test_shows_those_from_before_and_newest_first(self):
        daemon = self.start()
        daemon.post(numbered(0, 5))
        self.show(daemon)
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 5")
        self.assertEqual([row[1] for row in self.rows()], ["5", "4", "3", "2", "1"])
        self.assert_quiet(daemon)

    def test_markup_in_an_event_is_shown_as_text(self):
        self.target.on("/audit", Answer(422))
        daemon = self.daemon([{"name": "audit", "url": self.target.url("/audit"),
                               "retry": {"permanent": [422]}}],
                             dead_letters={"dir": str(self.directory / "letters")})
        self.show(daemon)
        self.wait_text("#events-state", "live")
        bad = event(MARKUP, action=MARKUP, repository=MARKUP, actor={"name": MARKUP})
        self.assertEqual(daemon.post(envelope(bad)).status, 202)
        self.wait_text("#events-rows", MARKUP)
        self.wait_text("#letters-rows", MARKUP)
        self.screenshot("markup")
        self.browser.click("#events-rows button")
        self.wait_text("#drawer-body pre", "<img src=x")
        self.browser.page("keyboard.press", "Escape")
        self.browser.click("#letters-rows button.link")
        self.wait_text("#drawer-body pre", "<img src=x")
        self.assertEqual(self.browser.evaluate(
            "document.querySelectorAll('img, td script, pre script').length"), 0)
        self.assertNotIn("run", self.browser.page("title"))
        self.expected_console = []
        self.assert_quiet(daemon)

    def test_a_press_on_an_event_tells_what_became_of_it(self):
        daemon = self.start()
        self.show(daemon)
        daemon.post(envelope(event("e1", size=1)).replace(b'"size": 1', b'"size": 1.10'))
        self.wait_text("#events-rows", "library/tiny")
        self.browser.click("#events-rows .what")
        self.wait_text("#drawer-body", "delivered")
        self.assertIn("audit", self.browser.text(".fates"))
        self.assertIn('"size": 1.10', self.browser.text("#drawer-body pre"))
        self.assert_quiet(daemon)

    def test_filters(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        daemon.post(envelope(event("e1", repository="team/a"), event("e2", "pull"),
                             event("e3", repository="team/b")))
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 3")
        self.browser.page("fill", "#events-filter", "team/")
        self.wait_true("document.querySelectorAll('#events-rows tr:not([hidden])').length === 2")
        self.browser.page("fill", "#events-filter", "action:pull")
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 1")
        self.assertEqual(self.rows()[0][1:3], ["2", "pull"])
        daemon.post(envelope(event("e4"), event("e5", "pull")))
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 2")
        self.assertEqual([row[1] for row in self.rows()], ["5", "2"])
        self.browser.page("fill", "#events-filter", "nothing-like-it")
        self.wait_text("#events-empty", "No event fits the filter.")
        self.assert_quiet(daemon)

    def test_can_be_held(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        self.browser.click("#events-hold")
        daemon.post(numbered(0, 3))
        self.wait_text("#events-hold", "Go on (3 new)")
        self.assertEqual(self.rows(), [])
        self.browser.click("#events-hold")
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 3")
        self.assert_quiet(daemon)

    def test_keeps_a_bounded_number_of_rows(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        for n in range(10):
            daemon.post(numbered(n * 100, 100))
        self.wait_true("document.querySelector('#events-rows button')?.innerText === '1000'")
        self.assertLessEqual(len(self.rows()), 300)
        self.assert_quiet(daemon)

    def test_without_streams_it_asks_for_new_events(self):
        daemon = self.start(streams={"max_total": 0})
        self.show(daemon)
        self.wait_text("#events-notice", "asking for new events instead")
        daemon.post(numbered(0, 2))
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 2")
        daemon.post(numbered(2, 2))
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 4")
        self.assert_quiet(daemon)

    def test_without_streams_it_says_what_it_does_not_show(self):
        daemon = self.start(streams={"max_total": 0}, history={"capacity": 4000})
        daemon.post(numbered(0, 1))
        self.show(daemon)
        self.wait_true("document.querySelectorAll('#events-rows tr').length === 1")
        newest = "document.querySelector('#events-rows button').innerText"
        daemon.post(numbered(1, 3000))
        self.wait_text("#events-rows", "1,800 events passed over, as they come so fast")
        self.wait_true(f"{newest} === '3001'")
        daemon.post(numbered(3001, 5000))
        self.wait_text("#events-rows", "1,000 events gone from the history before")
        self.wait_text("#events-rows", "3,800 events passed over, as they come so fast")
        self.wait_true(f"{newest} === '8001'")
        self.assert_quiet(daemon)

    def test_says_when_a_filter_is_refused(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        self.browser.page("fill", "#events-filter", "action:@no-such-group")
        self.wait_text("#events-notice", "Events cannot be shown: ")
        self.browser.page("fill", "#events-filter", "")
        self.wait_text("#events-state", "live")
        self.expected_console.append("status of 400")
        self.assert_quiet(daemon)

    def test_asks_nothing_while_it_is_hidden(self):
        daemon = self.start()
        self.show(daemon)
        self.wait_text("#events-state", "live")
        self.hide(True)
        begun = len(self.browser.seen()["requests"])
        self.wait_true(f"performance.now() > {self.browser.evaluate('performance.now()')} + 2500")
        self.assertLessEqual(len(self.browser.seen()["requests"]) - begun, 1)
        self.hide(False)
        daemon.post(numbered(0, 1))
        self.wait_text("#events-rows", "library/tiny")
        self.assert_quiet(daemon)

    def hide(self, is_hidden):
        """As when another tab is chosen: a browser without windows has no such thing."""
        self.browser.evaluate(
            f"Object.defineProperty(document, 'hidden', {{configurable: true, value: "
            f"{json.dumps(is_hidden)}}}); document.dispatchEvent(new Event('visibilitychange'))")
