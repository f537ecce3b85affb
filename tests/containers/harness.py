"""What the container tests share: a container storage of their own, commands that explain their
failures, waiting for conditions, and skipping loudly."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = SOURCE / "deploy"
BUILD = pathlib.Path(os.environ.get("FANFARE_BUILD_DIR", SOURCE / "build/release")).resolve()
FANFARE = BUILD / "daemon/fanfare"
WORK = BUILD / "containers"
PREFIX = "fanfaretest-"

BASE = "localhost/debian:bookworm-slim"
SLIM = "localhost/fanfare:0.1.0"
SCRATCH = "localhost/fanfare:0.1.0-scratch"

EVENT = {
    "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
    "timestamp": "2026-11-20T21:22:37.549023071Z",
    "action": "push",
    "target": {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "size": 555,
        "digest": "sha256:3150a5ed57bdfbc9fedf9c6d76bd831d74cc9e57b243554f6232d357497e10cb",
        "repository": "library/tiny",
        "tag": "v1",
    },
    "request": {"id": "83fefc70", "method": "PUT", "useragent": "skopeo/1.9.3"},
    "actor": {},
    "source": {"addr": "registry:5000"},
}


def require(*tools):
    """Skips, so that nobody overlooks it, if a tool is missing that a Debian package brings."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise unittest.SkipTest("not installed and not installable: " + ", ".join(missing))


def environment():
    """Lets podman, buildah and skopeo use storage under the build directory and nothing else."""
    WORK.mkdir(parents=True, exist_ok=True)
    temp = WORK / "tmp"
    temp.mkdir(exist_ok=True)
    # podman's own limits need CAP_SYS_RESOURCE, which not every machine gives to root.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 20000 if hard == resource.RLIM_INFINITY else min(hard, 20000)
    (WORK / "containers.conf").write_text(
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=1024:1024"]\n'
        # crun refuses machines with hybrid cgroups.
        '[engine]\nruntime = "runc"\nevents_logger = "file"\n'
        f'tmp_dir = "{WORK}/libpod"\n'
        f'[network]\nnetwork_backend = "cni"\nnetwork_config_dir = "{WORK}/networks"\n'
    )
    (WORK / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{WORK}/storage"\nrunroot = "{WORK}/run"\n'
    )
    return {
        **os.environ,
        "CONTAINERS_CONF": str(WORK / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(WORK / "storage.conf"),
        "TMPDIR": str(temp),
    }


def run(*command, check=True, timeout=600, **options):
    """Runs a command; its whole output is in the message if it fails. stderr joins stdout."""
    command = [str(part) for part in command]
    options.setdefault("env", environment())
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        **options,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done


def podman(*arguments, **options):
    # Its complaint about a missing syslog is no part of any answer.
    done = run("podman", *arguments, **options)
    lines = [line for line in done.stdout.splitlines() if "connect to syslog" not in line]
    done.stdout = "\n".join(lines)
    return done


def image_exists(name):
    return podman("image", "exists", name, check=False).returncode == 0


def build_image(context, *arguments):
    run(
        "buildah", "bud", "--isolation", "chroot", "--network", "host", "--pull-never",
        "--layers", "--format", "docker", *arguments, context,
        timeout=1200,
    )  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, data=None, headers=None, timeout=5):
    """(status, text) of a request that goes to no proxy."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_until(what, condition, deadline=30):
    """Waits for a true value and returns it. Refused connections mean: not yet."""
    end = time.monotonic() + deadline
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except OSError as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {deadline} s: {what}" + (f" ({last})" if last else ""))


def sample(metrics, name, **labels):
    """The value of the one sample with these labels in a scrape."""
    for line in metrics.splitlines():
        if not line.startswith(name):
            continue
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(
            f'{key}="{text}"' in series for key, text in labels.items()
        ):
            return float(value)
    return None


class Container:
    """A running container that is gone at the end of a `with` block, whatever happened."""

    def __init__(self, image, *command, options=()):
        self.name = PREFIX + os.urandom(4).hex()
        podman("run", "--detach", "--name", self.name, *options, image, *command)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"--- log of {self.name}\n{self.log()}", flush=True)
        podman("rm", "--force", "--time", "0", self.name, check=False)

    def log(self):
        return podman("logs", self.name, check=False).stdout

    def inspect(self):
        return json.loads(podman("inspect", self.name).stdout)[0]


@contextlib.contextmanager
def network():
    """A bridge of our own, with names."""
    name = PREFIX + os.urandom(4).hex()
    podman("network", "create", name)
    try:
        yield name
    finally:
        podman("network", "rm", "--force", name, check=False)
