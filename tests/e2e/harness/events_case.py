"""What tests of history and streams have in common."""

import json

from harness.case import EndToEndCase
from harness.events import event
from harness.http import fetch


class EventsCase(EndToEndCase):
    """One daemon, `self.fanfare`, that events are sent to."""

    def send(self, events):
        answer = self.fanfare.post(events, content_type="application/json")
        self.assertEqual(answer.status, 202, answer.body)

    def post(self, count, **extra):
        """So many events, one by one."""
        for i in range(count):
            self.send([{**event(f"e{i}"), **extra}])

    def reload(self, **changes):
        """These top-level keys become these values."""
        config = json.loads(self.fanfare.config_file.read_text())
        config.update(changes)
        self.fanfare.config_file.write_text(json.dumps(config))
        answer = fetch(self.fanfare.admin, "POST", "/-/reload")
        self.assertEqual(answer.status, 200, answer.body)
