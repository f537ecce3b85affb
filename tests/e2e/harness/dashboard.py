"""What the Grafana dashboard asks."""

import json
import pathlib

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
DASHBOARD = DEPLOY / "grafana/dashboard.json"
ALERTS = DEPLOY / "prometheus/alerts.yml"


def load():
    return json.loads(DASHBOARD.read_text())


def filled_in(query, instance, endpoint, span):
    """As Grafana sends it: `instance` and `endpoint` are patterns, `span` stands for every time."""
    values = {"$instance": instance, "$endpoint": endpoint, "$__rate_interval": span,
              "$__range": span}
    for name, value in values.items():
        query = query.replace(name, value)
    if "$" in query:
        raise AssertionError(f"a variable that nobody fills in: {query}")
    return query


def queries(instance=".*", endpoint=".*", span="1m", of_fleet=False):
    """(id and title of the panel, query): of the panels for daemons with a queue of their own, or
    of those for a fleet."""
    for panel in load()["panels"]:
        if (panel["id"] // 100 == 5) != of_fleet:
            continue
        for target in panel.get("targets", []):
            yield (f"{panel['id']} {panel['title']} {target['refId']}",
                   filled_in(target["expr"], instance, endpoint, span))
