"""Debian's prometheus, scraping one target."""

import json
import urllib.parse

from harness.http import fetch
from harness.process import Process, free_port
from harness.wait import wait_until


class Prometheus(Process):
    def __init__(self, directory, target):
        directory.mkdir()
        file = directory / "prometheus.yml"
        file.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "fanfare",
                                "static_configs": [{"targets": [target]}]}]}))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(["prometheus", f"--config.file={file}",
                          f"--storage.tsdb.path={directory / 'data'}",
                          f"--web.listen-address={self.address}"])
        self.wait_for_line(lambda line: "ready to receive web requests" in line, 20)

    def query(self, expression):
        """The value of an expression with one result; None while there is none."""
        target = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        response = fetch(self.address, "GET", target, headers=(("Accept-Encoding", "identity"),))
        answer = json.loads(response.body)
        if answer["status"] != "success":
            raise AssertionError(f"{expression}: {answer}")
        result = answer["data"]["result"]
        if len(result) > 1:
            raise AssertionError(f"{expression}: several results: {result}")
        return float(result[0]["value"][1]) if result else None

    def wait_for_value(self, expression, accepts, seconds=20.0):
        def value():
            found = self.query(expression)
            return (found,) if found is not None and accepts(found) else None
        return wait_until(value, seconds, lambda: f"{expression}: {self.query(expression)}")[0]
