"""Reads the Prometheus text format."""

import re

_SAMPLE = re.compile(r'^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        self._by_name = {}  # with hundreds of endpoints, looking through all takes a minute
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            if match is None:
                raise AssertionError(f"not a sample: {line!r}")
            labels = frozenset(_LABEL.findall(match.group(2) or ""))
            if (match.group(1), labels) in self.samples:
                raise AssertionError(f"given twice: {line!r}")
            self.samples[match.group(1), labels] = float(match.group(3))
            self._by_name.setdefault(match.group(1), []).append((labels, float(match.group(3))))

    def value(self, name, **labels):
        """The one series with exactly these labels."""
        return self.samples[name, frozenset(labels.items())]

    def get(self, name, default=0.0, **labels):
        return self.samples.get((name, frozenset(labels.items())), default)

    def sum(self, name, **labels):
        """Over all series that have at least these labels."""
        wanted = set(labels.items())
        return sum(value for found, value in self._by_name.get(name, ()) if wanted <= found)

    def endpoints(self):
        return sorted(dict(labels)["endpoint"] for name, labels in self.samples
                      if name == "fanfare_endpoint_events_total")

    def endpoint(self, name, endpoint):
        """Sum of fanfare_endpoint_<name> over the other labels."""
        return self.sum(f"fanfare_endpoint_{name}", endpoint=endpoint)

    def imbalance(self, missed=None):
        """What contradicts SPEC 1's conservation of events: a text per endpoint. `missed`: by
        endpoint, how many events had been ingested before it was added."""
        total = self.value("fanfare_ingest_events_total")
        found = []
        for endpoint in self.endpoints():
            parts = {name: self.endpoint(name, endpoint)
                     for name in ("ignored_events_total", "dropped_events_total",
                                  "dead_letters_total", "successes_total", "pending_events")}
            ingested = total - (missed or {}).get(endpoint, 0)
            replayed = self.endpoint("replayed_events_total", endpoint)
            meta = self.endpoint("meta_events_total", endpoint)
            restored = self.endpoint("restored_events_total", endpoint)
            if sum(parts.values()) != ingested + replayed + meta + restored:
                found.append(f"{endpoint}: ingested {ingested:.0f}, replayed {replayed:.0f}, "
                             f"of our own {meta:.0f}, restored {restored:.0f}, but {parts}")
        return found
