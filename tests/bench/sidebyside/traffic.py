"""Where events come from and where they go: wrk, nginx, and both ends in one process."""

import contextlib
import json
import pathlib
import tempfile
import urllib.request

from sidebyside.processes import Process, free_port

_LOAD = pathlib.Path(__file__).resolve().parent.parent / "load"
EVENT_FILE = _LOAD / "event.json"  # a registry's envelope with one event, 1 KiB
MEDIA_TYPE = "application/vnd.docker.distribution.events.v1+json"
CONNECTIONS = 16

_NGINX = """
worker_processes 1;
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    # Head and body arrive in one read.
    client_header_buffer_size 4k;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ return 204; }}
        location = /status {{ stub_status; }}
    }}
}}
"""


def get(url, seconds=30):
    with urllib.request.urlopen(url, timeout=seconds) as response:
        return response.read().decode()


class Nginx:
    """Answers every POST with 204 and counts."""

    def __init__(self, process, port):
        self.process = process
        self.port = port
        self._asked = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def posts(self):
        """Requests so far, without those of this method."""
        self._asked += 1
        lines = get(f"http://127.0.0.1:{self.port}/status").splitlines()
        return int(lines[2].split()[2]) - self._asked


@contextlib.contextmanager
def nginx(directory, core, port=None):
    """An nginx on `core`."""
    port = port or free_port()
    # Ports come back, names of directories must not.
    place = pathlib.Path(tempfile.mkdtemp(prefix="nginx-", dir=directory))
    config = place / "nginx.conf"
    config.write_text(_NGINX.format(directory=place, port=port))
    arguments = ["nginx", "-p", place, "-c", config, "-e", place / "nginx-error.log"]
    with Process(arguments, core, place / "output.log") as process:
        process.wait_listening(port)
        yield Nginx(process, port)


class Wrk:
    """wrk on `core`, posting events to a port for a while. `variants` requests that differ in the
    event's id take turns; with one, wrk runs no script while it sends; with "new", no id comes
    twice, counted from `first`."""

    def __init__(self, directory, core, port, seconds, variants=512, body=EVENT_FILE,
                 connections=CONNECTIONS, first=0):
        arguments = ["wrk", "--threads", 1, "--connections", connections, "--timeout", "10s",
                     "--duration", f"{max(1, round(seconds))}s", "--script", _LOAD / "post.lua",
                     f"http://127.0.0.1:{port}/events", "--", body, variants, first]
        self.process = Process(arguments, core, directory / f"wrk-{port}.log")
        self.answers = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()

    def finish(self):
        """What done() in post.lua printed."""
        output = self.process.finish()
        line = next(line for line in output.splitlines() if line.startswith("{"))
        self.answers = json.loads(line)
        return self.answers


def both_ends(bench, ingest, sink, **options):
    """One run of tools/both_ends.cc; what it measured."""
    arguments = [bench.both_ends, "--ingest", ingest, "--sink", sink,
                 "--body", EVENT_FILE]
    for name, value in options.items():
        arguments += ["--" + name.replace("_", "-"), value]
    with Process(arguments, bench.load_core, bench.directory / f"ends-{sink}.log") as process:
        return json.loads(process.finish().splitlines()[-1])
