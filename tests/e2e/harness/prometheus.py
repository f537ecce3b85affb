"""Debian's prometheus, scraping one target."""

import json
import urllib.parse

from harness.http import fetch
from harness.process import Process, free_port
from harness.wait import wait_until


class Prometheus(Process):
    """`rules`: the text of a file of alerts."""

    def __init__(self, directory, target, rules="groups: []"):
        directory.mkdir()
        (directory / "rules.yml").write_text(rules)
        file = directory / "prometheus.yml"
        file.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "fanfare",
                                "static_configs": [{"targets": [target]}]}]}))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(["prometheus", f"--config.file={file}",
                          f"--storage.tsdb.path={directory / 'data'}",
                          f"--web.listen-address={self.address}"])
        self.wait_for_line(lambda line: "ready to receive web requests" in line, 20)

    def get(self, target, **parameters):
        """The data of an answer of its API."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        response = fetch(self.address, "GET", f"/api/v1/{target}{query}",
                         headers=(("Accept-Encoding", "identity"),))
        answer = json.loads(response.body)
        if answer["status"] != "success":
            raise AssertionError(f"{target} {parameters}: {answer}")
        return answer["data"]

    def series(self, expression):
        """(labels, value) of all results."""
        return [(one["metric"], float(one["value"][1]))
                for one in self.get("query", query=expression)["result"]]

    def alerts(self):
        """The alerts that are firing, by name."""
        found = {}
        for alert in self.get("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert)
        return found

    def query(self, expression):
        """The value of an expression with one result; None while there is none."""
        result = self.get("query", query=expression)["result"]
        if len(result) > 1:
            raise AssertionError(f"{expression}: several results: {result}")
        return float(result[0]["value"][1]) if result else None

    def wait_for_value(self, expression, accepts, seconds=20.0):
        def value():
            found = self.query(expression)
            return (found,) if found is not None and accepts(found) else None
        return wait_until(value, seconds, lambda: f"{expression}: {self.query(expression)}")[0]
