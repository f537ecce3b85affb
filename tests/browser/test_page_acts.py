"""What somebody does on the status page."""

import json

from browser import BrowserCase
from harness.events import envelope, event, numbered
from harness.receiver import Answer

FOREIGN_PAGE = b"<!doctype html><title>elsewhere</title>"


class ActsCase(BrowserCase):
    def setUp(self):
        super().setUp()
        self.target = self.receiver()
        self.fanfare = self.daemon(
            [{"name": name, "url": self.target.url(f"/{name}"), "retry": {"permanent": [422]}}
             for name in ("audit", "billing")],
            dead_letters={"dir": str(self.directory / "letters")})

    def open(self):
        self.show(self.fanfare)
        self.wait_text(self.row("audit"), "up")

    def state(self, name="audit"):
        return self.fanfare.get(f"/v1/endpoints/{name}").json()["state"]

    def give_up(self, count):
        """Both endpoints give these up."""
        for path in ("/audit", "/billing"):
            self.target.on(path, Answer(422))
        self.fanfare.post(numbered(0, count))
        self.wait_text("#letters-count", str(2 * count))
        for path in ("/audit", "/billing"):
            self.target.on(path, Answer(200))


class Acts(ActsCase):
    def test_pauses_and_resumes(self):
        self.open()
        self.browser.click(f"{self.row('audit')} .pause")
        self.wait_text(self.row("audit"), "paused")
        self.assertEqual(self.state(), "paused")
        self.fanfare.post(numbered(0, 3))
        self.wait_text(f"{self.row('audit')} .pending", "3")
        self.assertEqual(self.target.count("/audit"), 0)
        self.browser.click(f"{self.row('audit')} .pause")
        self.wait_text(self.row("audit"), "up")
        self.target.wait_for(3, "/audit")
        self.assert_quiet(self.fanfare)

    def test_sends_a_test_and_says_what_came_of_it(self):
        self.open()
        self.browser.click(f"{self.row('audit')} .test")
        self.wait_text(f"{self.row('audit')} .said", "test: answered 200")
        self.target.on("/audit", Answer(500))
        self.browser.click(f"{self.row('audit')} .test")
        self.wait_text(f"{self.row('audit')} .said", "test: answered 500")
        self.assertEqual(self.target.count("/audit"), 2)
        self.assert_quiet(self.fanfare)

    def test_tells_of_an_endpoint(self):
        self.open()
        self.fanfare.post(numbered(0, 2))
        self.browser.click(f"{self.row('audit')} .name button")
        self.wait_text("#drawer-body", "e1")
        self.assertIn("Last attempts", self.browser.text("#drawer-body"))
        self.browser.page("keyboard.press", "Escape")
        self.wait_true("!document.getElementById('drawer').open")
        self.assert_quiet(self.fanfare)

    def test_replays_one_dead_letter(self):
        self.open()
        self.give_up(2)
        self.browser.click('#letters-rows button[aria-label="Replay e1"]')
        self.wait_text("#letters-result", "1 event queued again")
        self.wait_text("#letters-count", "3", 8)
        ids = self.target.accepted_ids()
        self.assertEqual(ids, ["e1"])
        self.assert_quiet(self.fanfare)

    def test_replays_all_of_one_endpoint_and_then_all(self):
        self.open()
        self.give_up(3)
        self.browser.page("selectOption", "#letters-endpoint", "billing")
        self.wait_text("#letters-count", "3")
        self.browser.click("#letters-replay")
        self.assertEqual(self.browser.text("#letters-replay"), "Really replay all of billing?")
        self.assertEqual(self.target.accepted_ids(), [], "asked twice before it acts")
        self.browser.click("#letters-replay")
        self.wait_text("#letters-result", "3 events queued again")
        self.wait_text("#letters-empty", "No dead letters.", 8)
        self.assertEqual(self.target.accepted_ids("/billing"), ["e0", "e1", "e2"])
        self.browser.page("selectOption", "#letters-endpoint", "")
        self.wait_text("#letters-count", "3")
        self.browser.click("#letters-replay")
        self.browser.click("#letters-replay")
        self.wait_true("document.getElementById('letters-rows').children.length === 0", 8)
        self.assertEqual(self.target.accepted_ids("/audit"), ["e0", "e1", "e2"])
        self.assert_quiet(self.fanfare)

    def test_shows_a_dead_letter_with_its_payload_as_it_was_received(self):
        self.open()
        for path in ("/audit", "/billing"):
            self.target.on(path, Answer(422))
        sent = envelope(event("big", size=1)).replace(b'"size": 1', b'"size": 12345678901234567890')
        self.fanfare.post(sent)
        self.wait_text("#letters-count", "2")
        self.browser.click("#letters-rows button.link")
        self.wait_text("#drawer-body", '"size": 12345678901234567890')
        self.assert_quiet(self.fanfare)

    def test_everything_is_reached_by_keyboard(self):
        self.open()
        self.give_up(1)
        self.browser.page("keyboard.press", "/")
        self.assertEqual(self.focused(), "endpoints-filter")
        self.browser.page("focus", ".skip")
        reached = []
        for _ in range(40):
            self.browser.page("keyboard.press", "Tab")
            reached.append(self.focused())
        for wanted in ("endpoints-filter", "endpoints-order", "audit", "Pause audit", "Test audit",
                       "Pause billing", "events-filter", "events-hold", "letters-endpoint",
                       "letters-replay", "Replay e0"):
            self.assertIn(wanted, reached)
        self.browser.page("focus", f"{self.row('audit')} .pause")
        self.assertNotEqual(self.browser.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"), "none", "focus is seen")
        self.browser.page("keyboard.press", "Enter")
        self.wait_text(self.row("audit"), "paused")
        self.assertEqual(self.focused(), "Resume audit", "focus stays")
        self.assert_quiet(self.fanfare)

    def focused(self):
        return self.browser.evaluate(
            "((e) => e.id || e.getAttribute('aria-label') || e.innerText)(document.activeElement)")


class Strangers(ActsCase):
    """Pages of other sites, in the same browser."""

    def fetch_from_elsewhere(self, method, path):
        """The page of another site asks, as pages may without being let to."""
        elsewhere = self.receiver()
        elsewhere.on("/", Answer(200, (("Content-Type", "text/html"),), FOREIGN_PAGE))
        self.browser.open(elsewhere.url("/"))
        url = json.dumps(f"http://{self.fanfare.admin}{path}")
        self.browser.evaluate(f"fetch({url}, {{method: '{method}', mode: 'no-cors'}})"
                              ".then(() => null, (error) => String(error))")
        return self.browser.seen()["answers"]

    def test_cannot_pause(self):
        answers = self.fetch_from_elsewhere("POST", "/v1/endpoints/audit/pause")
        self.assertIn("403 POST /v1/endpoints/audit/pause", answers)
        self.assertEqual(self.state(), "up")

    def test_cannot_send_a_form(self):
        elsewhere = self.receiver()
        path = f"http://{self.fanfare.admin}/v1/endpoints/audit/pause"
        form = f'<form method="post" action="{path}"><button>go</button></form>'.encode()
        elsewhere.on("/", Answer(200, (("Content-Type", "text/html"),), FOREIGN_PAGE + form))
        self.browser.open(elsewhere.url("/"))
        self.browser.click("button")
        self.wait_true("document.body.innerText.includes('CROSS_SITE')")
        self.assertEqual(self.state(), "up")

    def test_cannot_read(self):
        elsewhere = self.receiver()
        elsewhere.on("/", Answer(200, (("Content-Type", "text/html"),), FOREIGN_PAGE))
        self.browser.open(elsewhere.url("/"))
        url = json.dumps(f"http://{self.fanfare.admin}/v1/endpoints")
        said = self.browser.evaluate(
            f"fetch({url}).then((answer) => answer.text(), (error) => String(error))")
        self.assertIn("TypeError", said)

    def test_cannot_put_the_page_into_a_frame(self):
        elsewhere = self.receiver()
        frame = f'<iframe src="http://{self.fanfare.admin}/"></iframe>'.encode()
        elsewhere.on("/", Answer(200, (("Content-Type", "text/html"),), FOREIGN_PAGE + frame))
        self.browser.open(elsewhere.url("/"))
        self.wait_true("performance.now() > 500")
        console = " ".join(self.browser.seen()["console"])
        self.assertIn("frame-ancestors", console)
