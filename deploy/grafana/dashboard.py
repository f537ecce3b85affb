#!/usr/bin/env python3
"""Writes the dashboard beside it: deploy/grafana/dashboard.py >deploy/grafana/dashboard.json

A panel's id is its number in bookmarks and links: keep it when panels move, never give it anew.
"""

import json

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
DAEMON = '{instance=~"$instance"}'
ENDPOINT = '{instance=~"$instance", endpoint=~"$endpoint"}'
PROCESS = '{job="fanfare", instance=~"$instance"}'
WIDTH = 24

# A state is the sum of what applies.
STATES = {
    0: ("up", "green"), 1: ("paused", "blue"),
    2: ("breaker open", "orange"), 3: ("paused, breaker open", "orange"),
    4: ("down", "red"), 5: ("down, paused", "red"),
    6: ("down, breaker open", "red"), 7: ("down, paused, breaker open", "red"),
}  # fmt: skip
STATE = (f"sum by (instance, endpoint) (fanfare_endpoint_paused{ENDPOINT}"
         f" + 2 * fanfare_endpoint_breaker_open{ENDPOINT}"
         f" + 4 * (1 - fanfare_endpoint_up{ENDPOINT}))")
STORE_USED = f"fanfare_store_file_bytes{DAEMON} - fanfare_store_free_bytes{DAEMON}"


def texts(meanings):
    return [{"type": "value", "options": {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(meanings.items())}}]


def steps(*bounds, base="green"):
    """Thresholds: (value from which on, color)."""
    return {"mode": "absolute", "steps": [
        {"color": base, "value": None},
        *({"color": color, "value": value} for value, color in bounds)]}


def per_endpoint(kind, name, by="endpoint"):
    return f"{kind} by ({by}) (fanfare_endpoint_{name}{ENDPOINT})"


def rate(name, by, labels=DAEMON):
    return f"sum by ({by}) (rate({name}{labels}[$__rate_interval]))"


def endpoint_rate(name, by="endpoint"):
    return rate(f"fanfare_endpoint_{name}", by, ENDPOINT)


def grown(name, labels=DAEMON):
    return f"sum(increase({name}{labels}[$__range]))"


def quantiles(name, by, labels, legend):
    """Median, 95th and 99th percentile of a histogram, as (expression, legend)."""
    return [(f"histogram_quantile({quantile}, {rate(name + '_bucket', by + ', le', labels)})",
             f"{legend} {text}")
            for quantile, text in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))]


def panel(kind, number, title, description, targets, **defaults):
    """`targets`: an expression, or a list of (expression, legend)."""
    if isinstance(targets, str):
        targets = [(targets, "")]
    width, height = defaults.pop("size")
    return {
        "id": number, "type": kind, "title": title, "description": description,
        "datasource": SOURCE, "gridPos": {"x": 0, "y": 0, "w": width, "h": height},
        "targets": [{"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
                    for index, (expression, legend) in enumerate(targets)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }  # fmt: skip


def stat(number, title, description, expression, **defaults):
    """One number, as it is now."""
    made = panel("stat", number, title, description, expression, size=(3, 4), **defaults)
    made["targets"][0]["instant"] = True
    made["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background" if "thresholds" in defaults else "value",
        "graphMode": "none", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
    }  # fmt: skip
    return made


def graph(number, title, description, targets, width=8, **defaults):
    if "thresholds" in defaults:
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    made = panel("timeseries", number, title, description, targets, size=(width, 8),
                 min=0, **defaults)
    made["options"] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return made


def state_history():
    made = panel("state-timeline", 112, "State of each endpoint",
                 "up; paused (by an operator, by Retry-After or after 410); breaker open: one "
                 "attempt per backoff; down: the last attempts have all gone wrong.",
                 [(STATE, "{{endpoint}} {{instance}}")], size=(12, 8), mappings=texts(STATES))
    made["options"] = {
        "mergeValues": True, "showValue": "never", "rowHeight": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    return made


def endpoint_table():
    by = "instance, endpoint"
    columns = [
        ("State", STATE, {"mappings": texts(STATES),
                          "custom.cellOptions": {"type": "color-background"}}),
        ("Pending", per_endpoint("sum", "pending_events", by), {}),
        ("Pending bytes", per_endpoint("sum", "pending_bytes", by), {"unit": "bytes"}),
        ("Oldest", per_endpoint("max", "oldest_pending_seconds", by), {
            "unit": "s", "thresholds": steps((60, "orange"), (300, "red")),
            "custom.cellOptions": {"type": "color-text"}}),
        ("In flight", per_endpoint("sum", "in_flight_requests", by), {}),
        ("Delivered", endpoint_rate("successes_total", by), {"unit": "eps"}),
        ("Refused", endpoint_rate("failures_total", by), {"unit": "ops"}),
        ("No answer", endpoint_rate("errors_total", by), {"unit": "ops"}),
    ]
    made = panel("table", 109, "Endpoints, as they are now",
                 "Refused: attempts answered with a status that is not accepted. No answer: "
                 "attempts without a usable one. The last error of each: fanfare status.",
                 [(expression, "") for _, expression, _ in columns], size=(WIDTH, 8))
    for target in made["targets"]:
        target.update(instant=True, format="table")
    names = {f"Value #{target['refId']}": name
             for target, (name, _, _) in zip(made["targets"], columns)}
    made["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": True},
            "indexByName": {name: index for index, name in
                            enumerate(["endpoint", "instance", *names])},
            "renameByName": {"endpoint": "Endpoint", "instance": "Instance", **names}}},
    ]  # fmt: skip
    made["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": name},
         "properties": [{"id": key, "value": value} for key, value in looks.items()]}
        for name, _, looks in columns if looks]
    made["options"] = {"showHeader": True, "cellHeight": "sm"}
    return made


STUCK = [
    stat(101, "Endpoints down", "The last attempts have all gone wrong.",
         f"sum(1 - fanfare_endpoint_up{ENDPOINT})", thresholds=steps((1, "red"))),
    stat(102, "Breakers open", "Only one attempt per backoff is made.",
         f"sum(fanfare_endpoint_breaker_open{ENDPOINT})", thresholds=steps((1, "orange"))),
    stat(103, "Paused", "By an operator, by Retry-After, or gone (410).",
         f"sum(fanfare_endpoint_paused{ENDPOINT})", thresholds=steps((1, "blue"))),
    stat(104, "Pending", "Accepted and not yet delivered. An event that waits for two endpoints "
         "counts twice, and one in a fleet at each replica: see the last row.", f"sum(fanfare_endpoint_pending_events{ENDPOINT})", unit="short"),
    stat(105, "Oldest pending", "Age of the event that has waited longest.",
         f"max(fanfare_endpoint_oldest_pending_seconds{ENDPOINT})", unit="s",
         thresholds=steps((60, "orange"), (300, "red"))),
    stat(106, "In flight", "Attempts under way.",
         f"sum(fanfare_endpoint_in_flight_requests{ENDPOINT})", unit="short"),
    stat(107, "Disk taken", "Of queue.max_disk, at the instance that has taken most.",
         f"max(({STORE_USED}) / (fanfare_store_max_bytes{DAEMON} > 0))", unit="percentunit",
         noValue="in memory", thresholds=steps((0.75, "orange"), (0.87, "red"))),
    stat(108, "Disk full", "Whether events are refused for want of room on the disk.",
         f"max(fanfare_store_full{DAEMON})", thresholds=steps((1, "red")),
         mappings=texts({0: ("no", "green"), 1: ("FULL", "red")})),
    endpoint_table(),
    graph(111, "Oldest pending", "The best single sign that deliveries are late; the alert is at "
          "five minutes.", [(per_endpoint("max", "oldest_pending_seconds"), "{{endpoint}}")], 12,
          unit="s", thresholds=steps((300, "red"))),
    state_history(),
    graph(113, "Pending", "Events that wait or are in flight.",
          [(per_endpoint("sum", "pending_events"), "{{endpoint}}")], unit="short"),
    graph(114, "Pending bytes", "Payload that waits; to be held against queue.max_bytes.",
          [(per_endpoint("sum", "pending_bytes"), "{{endpoint}}")], unit="bytes"),
    graph(115, "In flight", "Attempts under way, at most max_in_flight.",
          [(per_endpoint("sum", "in_flight_requests"), "{{endpoint}}")], unit="short"),
    graph(116, "Queue on disk", "Taken: what events need. The file does not shrink; what is free "
          "in it is used again. All 0 with queue.storage: memory.", [
              (f"sum by (instance) ({STORE_USED})", "{{instance}} taken"),
              (f"fanfare_store_file_bytes{DAEMON}", "{{instance}} file"),
              (f"fanfare_store_wal_bytes{DAEMON}", "{{instance}} log"),
              (f"fanfare_store_disk_available_bytes{DAEMON}", "{{instance}} left on the disk"),
              (f"fanfare_store_max_bytes{DAEMON}", "{{instance}} max_disk"),
          ], 12, unit="bytes"),
    graph(117, "Commits to disk", "How long a commit takes, its sync included: the least time to "
          "a 202. Nothing with queue.storage: memory.",
          quantiles("fanfare_store_commit_duration_seconds", "instance", DAEMON, "{{instance}}"),
          12, unit="s"),
]

GIVEN_UP = "fanfare_endpoint_dead_letters_total"
DROPPED = "fanfare_endpoint_dropped_events_total"
HAPPENED = [
    stat(201, "Delivered", "In the time shown.",
         grown("fanfare_endpoint_successes_total", ENDPOINT), unit="short", decimals=0),
    stat(202, "Attempts refused", "Answered with a status that is not accepted, in the time shown.",
         grown("fanfare_endpoint_failures_total", ENDPOINT), unit="short", decimals=0),
    stat(203, "Attempts without answer", "No usable answer, in the time shown.",
         grown("fanfare_endpoint_errors_total", ENDPOINT), unit="short", decimals=0),
    stat(204, "Given up", "Dead letters made in the time shown.",
         grown(GIVEN_UP, ENDPOINT), unit="short", decimals=0, thresholds=steps((1, "orange"))),
    stat(205, "Dropped", "Accepted events lost in the time shown; purged ones are not counted.",
         grown(DROPPED, ENDPOINT.replace("}", ', reason!="purged"}')), unit="short", decimals=0,
         thresholds=steps((1, "red"))),
    stat(206, "Lost after that", "Dead letters that were not kept, and events on disk that were "
         "damaged or forgotten, in the time shown.",
         " + ".join(grown(name) for name in (
             "fanfare_dead_letters_lost_total", "fanfare_store_damaged_events_total",
             "fanfare_store_forgotten_events_total")), unit="short", decimals=0,
         thresholds=steps((1, "red"))),
    stat(207, "Dead letters kept", "On disk now; fanfare dead-letters ls lists them.",
         f"sum(fanfare_dead_letters_kept_events{DAEMON})", unit="short"),
    stat(208, "Configuration", "Whether the configuration last read is the one in use.",
         f"min(fanfare_config_last_reload_success{DAEMON})",
         thresholds=steps((1, "green"), base="red"),
         mappings=texts({0: ("REFUSED", "red"), 1: ("in use", "green")})),
    graph(211, "Delivered", "Events.", [(endpoint_rate("successes_total"), "{{endpoint}}")],
          unit="eps"),
    graph(212, "Attempts refused", "Answered with a status that is not accepted.",
          [(endpoint_rate("failures_total"), "{{endpoint}}")], unit="ops"),
    graph(213, "Attempts without answer", "dns, connect, tls, timeout, reset, protocol, blocked.",
          [(endpoint_rate("errors_total", "endpoint, reason"), "{{endpoint}} {{reason}}")],
          unit="ops"),
    graph(214, "Answers by status", "Accepted or not.",
          [(endpoint_rate("responses_total", "endpoint, code"), "{{endpoint}} {{code}}")],
          unit="ops"),
    graph(215, "Retries", "Attempts that were not the first one of their event.",
          [(endpoint_rate("retries_total"), "{{endpoint}}")], unit="ops"),
    graph(216, "Ignored", "Events that ignore or match kept from the endpoint.",
          [(endpoint_rate("ignored_events_total"), "{{endpoint}}")], unit="eps"),
    graph(217, "Dropped", "Accepted events that were lost, by reason.",
          [(endpoint_rate("dropped_events_total", "endpoint, reason"), "{{endpoint}} {{reason}}")],
          unit="eps"),
    graph(218, "Given up", "Dead letters, by reason.",
          [(endpoint_rate("dead_letters_total", "endpoint, reason"), "{{endpoint}} {{reason}}")],
          unit="eps"),
    graph(219, "Dead letters on disk", "Stored, replayed and delivered, purged, and lost.", [
        (rate("fanfare_dead_letters_stored_total", "instance"), "{{instance}} stored"),
        (rate("fanfare_dead_letters_replayed_total", "instance"), "{{instance}} replayed"),
        (rate("fanfare_dead_letters_purged_total", "instance"), "{{instance}} purged"),
        (rate("fanfare_dead_letters_lost_total", "instance, reason"),
         "{{instance}} lost: {{reason}}"),
    ], unit="eps"),
    graph(220, "Delivery latency", "From acceptance of an event to its delivery, waits and "
          "retries included.", quantiles("fanfare_endpoint_delivery_latency_seconds", "endpoint",
                                         ENDPOINT, "{{endpoint}}"), unit="s"),
    graph(221, "Attempt duration", "One attempt, from its start to its result.",
          quantiles("fanfare_endpoint_request_duration_seconds", "endpoint", ENDPOINT,
                    "{{endpoint}}"), unit="s"),
    graph(222, "Reloads", "Attempts to load the configuration anew, in the last five minutes.",
          [(f"sum by (result) (increase(fanfare_config_reloads_total{DAEMON}[5m]))", "{{result}}"),
           (f"count(count by (hash) (fanfare_config_info{DAEMON}))", "different ones in use")],
          unit="short"),
]

ANSWER_TIME = "fanfare_ingest_request_duration_seconds"
NOW = [
    stat(301, "Events", "Accepted per second.",
         f"sum(rate(fanfare_ingest_events_total{DAEMON}[$__rate_interval]))", unit="eps"),
    stat(302, "Payload", "Of the accepted events.",
         f"sum(rate(fanfare_ingest_bytes_total{DAEMON}[$__rate_interval]))", unit="Bps"),
    stat(303, "Refused", "Posts answered 400 or above, in the time shown.",
         grown("fanfare_ingest_requests_total", DAEMON.replace("}", ', code=~"[45].."}'))
         + " or vector(0)", unit="short", decimals=0, thresholds=steps((1, "orange"))),
    stat(304, "Answer time", "99 % of the posts are answered within.",
         f"histogram_quantile(0.99, {rate(ANSWER_TIME + '_bucket', 'le')})", unit="s"),
    stat(305, "Connections", "Open at ingest now.",
         f"sum(fanfare_ingest_connections{DAEMON})", unit="short"),
    stat(306, "Events in history", "What GET /v1/events can show.",
         f"sum(fanfare_history_events{DAEMON})", unit="short"),
    stat(307, "Streams", "Open now.", f"sum(fanfare_streams_active{DAEMON})", unit="short"),
    stat(308, "Stream lag", "Events that the slowest stream is behind.",
         f"max(fanfare_stream_lag_events{DAEMON})", unit="short"),
    graph(311, "Events", "Accepted.",
          [(rate("fanfare_ingest_events_total", "instance"), "{{instance}}")], unit="eps"),
    graph(312, "Answers", "Many 4xx: a sender is wrong. 503: there is no room.",
          [(rate("fanfare_ingest_requests_total", "code"), "{{code}}")], unit="reqps"),
    graph(313, "Payload", "Of the accepted events.",
          [(rate("fanfare_ingest_bytes_total", "instance"), "{{instance}}")], unit="Bps"),
    graph(314, "Answer time", "From the first byte of a post to its answer.",
          quantiles(ANSWER_TIME, "instance", DAEMON, "{{instance}}"), unit="s"),
    graph(315, "Connections", "Open at ingest; at most ingest.max_connections.",
          [(f"fanfare_ingest_connections{DAEMON}", "{{instance}}")], unit="short"),
    graph(316, "History", "Events that GET /v1/events can still show.",
          [(f"fanfare_history_events{DAEMON}", "{{instance}}")], unit="short"),
    graph(317, "Numbers in history", "Of the oldest and the newest event that can still be shown. "
          "While the first grows, older events make room for new ones.", [
              (f"fanfare_history_lowest_seq{DAEMON}", "{{instance}} oldest"),
              (f"fanfare_history_next_seq{DAEMON} - 1", "{{instance}} newest")], unit="short"),
    graph(318, "Streams", "Open, and how many events the slowest is behind; beyond "
          "streams.max_lag it is closed.", [
              (f"fanfare_streams_active{DAEMON}", "{{instance}} open"),
              (f"fanfare_stream_lag_events{DAEMON}", "{{instance}} lag")], unit="short"),
    graph(319, "Streams closed and refused", "By reason, in the last five minutes. slow_consumer "
          "and write_timeout: the client did not read fast enough.", [
              (f"sum by (reason) (increase(fanfare_streams_closed_total{DAEMON}[5m]))",
               "closed: {{reason}}"),
              (f"sum by (reason) (increase(fanfare_streams_rejected_total{DAEMON}[5m]))",
               "refused: {{reason}}")], unit="short"),
    graph(320, "Sent to streams", "Events, to all streams together.",
          [(rate("fanfare_stream_events_sent_total", "instance"), "{{instance}}")], 12, unit="eps"),
    graph(321, "Asked of the admin listener", "By path and status; 401 and 403: a token is wrong.",
          [(rate("fanfare_http_requests_total", "path, code"), "{{path}} {{code}}")], 12,
          unit="reqps"),
]

DAEMON_ITSELF = [
    graph(411, "Memory", "Resident.",
          [(f"process_resident_memory_bytes{PROCESS}", "{{instance}}")], 6, unit="bytes"),
    graph(412, "CPU", "CPU seconds per second.",
          [(f"rate(process_cpu_seconds_total{PROCESS}[$__rate_interval])", "{{instance}}")], 6,
          unit="percentunit"),
    graph(413, "File descriptors", "Open, and how many there may be.",
          [(f"process_open_fds{PROCESS}", "{{instance}} open"),
           (f"process_max_fds{PROCESS}", "{{instance}} limit")], 6, unit="short"),
    graph(414, "Up for", "Since its last start.",
          [(f"time() - process_start_time_seconds{PROCESS}", "{{instance}}")], 6, unit="s"),
]

def of_fleet(name):
    """Of an endpoint in all replicas together, which is what each says that can know it."""
    return (f"max by (endpoint) (fanfare_endpoint_{name}{ENDPOINT}"
            f" and on (instance) fanfare_fleet_connected{DAEMON} == 1)")


FLEET = [
    stat(501, "Replicas", "That work off the shared queue, as the one sees it that sees most.",
         f"max(fanfare_fleet_replicas{DAEMON})", unit="short"),
    stat(502, "Cut off", "Replicas that can reach no server of the queue: they answer posts 503.",
         f"sum(1 - fanfare_fleet_connected{DAEMON})", thresholds=steps((1, "red"))),
    stat(503, "Configured differently", "Endpoints, and settings of the queue, that are not the "
         "same at all replicas; GET /v1/fleet names them.", f"max(fanfare_fleet_config_mismatch{DAEMON})",
         thresholds=steps((1, "orange"))),
    stat(504, "Pending", "In the fleet. An event that waits for two endpoints counts twice.",
         f"sum({of_fleet('pending_events')})", unit="short"),
    stat(505, "Oldest pending", "Age of the event that has waited longest.",
         f"max({of_fleet('oldest_pending_seconds')})", unit="s",
         thresholds=steps((60, "orange"), (300, "red"))),
    stat(506, "Events in the log", "With those that are kept as history.",
         f"max(fanfare_fleet_events{DAEMON})", unit="short"),
    stat(507, "Size of the log", "To be held against queue.max_bytes.",
         f"max(fanfare_fleet_bytes{DAEMON})", unit="bytes"),
    stat(508, "Not stored", "Events that the log has refused, or not acknowledged in time, in the "
         "time shown. Their senders were answered 503.",
         grown("fanfare_fleet_failed_events_total"), unit="short", decimals=0,
         thresholds=steps((1, "orange"))),
    graph(511, "Published", "Acknowledged by the log; there already, as their senders have "
          "repeated them; and not stored.", [
              (rate("fanfare_fleet_published_events_total", "instance"), "{{instance}}"),
              (rate("fanfare_fleet_duplicate_events_total", "instance"), "{{instance}} again"),
              (rate("fanfare_fleet_failed_events_total", "instance"), "{{instance}} not stored"),
          ], unit="eps"),
    graph(512, "Time to the acknowledgement", "The least time to a 202.",
          quantiles("fanfare_fleet_publish_duration_seconds", "instance", DAEMON, "{{instance}}"),
          unit="s"),
    graph(513, "Waiting for an acknowledgement", "Events.",
          [(f"fanfare_fleet_waiting_events{DAEMON}", "{{instance}}")], unit="short"),
    graph(514, "Pending", "In the fleet.", [(of_fleet("pending_events"), "{{endpoint}}")],
          unit="short"),
    graph(515, "Given out more than once", "Pending events that were tried before, or whose "
          "replica has died.", [(of_fleet("redelivered_events"), "{{endpoint}}")], unit="short"),
    graph(516, "Connections made", "To servers of the queue, in the last five minutes.",
          [(f"increase(fanfare_fleet_connects_total{DAEMON}[5m])", "{{instance}}")], unit="short"),
]

ROWS = [
    (100, "Is anything stuck?", STUCK),
    (200, "What happened?", HAPPENED),
    (300, "What is coming through right now?", NOW),
    (400, "How is the daemon itself?", DAEMON_ITSELF),
    (500, "How is the fleet? (queue.storage: nats)", FLEET),
]


def laid_out():
    """All panels, in rows of panels from left to right."""
    panels = []
    y = 0
    for number, title, content in ROWS:
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False,
                       "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}, "panels": []})
        x, y, height = 0, y + 1, 0
        for one in content:
            place = one["gridPos"]
            if x + place["w"] > WIDTH:
                x, y = 0, y + height
            place["x"], place["y"], height = x, y, place["h"]
            x += place["w"]
            panels.append(one)
        y += height
    return panels


def choice(name, label, query):
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1,
        "includeAll": True, "multi": True, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def dashboard():
    return {
        "uid": "fanfare", "title": "Fanfare", "tags": ["fanfare"],
        "description": "Is anything stuck, what happened, what is coming through right now.",
        "schemaVersion": 39, "version": 1, "editable": True, "refresh": "10s",
        "timezone": "browser", "time": {"from": "now-1h", "to": "now"}, "graphTooltip": 1,
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource",
             "query": "prometheus", "refresh": 1,
             "current": {"text": "Prometheus", "value": "prometheus"}},
            choice("instance", "Instance", "label_values(fanfare_build_info, instance)"),
            choice("endpoint", "Endpoint",
                   f"label_values(fanfare_endpoint_up{DAEMON}, endpoint)"),
        ]},
        "panels": laid_out(),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
