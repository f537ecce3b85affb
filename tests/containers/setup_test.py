"""Not tests of their own: what the others need is made here, once, and taken away at the end."""

import json
import shutil
import unittest

from harness import (
    BASE, PREFIX, SCRATCH, SLIM, SOURCE, WORK, build_image, environment, podman, require, run,
)  # fmt: skip

REGISTRY = "docker.io/library/registry:2.8.3"
PROMETHEUS = "docker.io/prom/prometheus:v2.53.4"
GRAFANA = "docker.io/grafana/grafana:11.6.0"
NATS = "docker.io/library/nats:2.10.22-alpine"

# Images of the names that compose and Kubernetes files use, from Debian's packages: the same
# programs where Debian has them, started the same way. /usr/sbin/policy-rc.d keeps the packages
# from starting services.
STAND_INS = {
    REGISTRY: """
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends docker-registry \\
            && rm -rf /var/lib/apt/lists/* \\
            && mkdir -p /var/lib/registry && chown 65532:65532 /var/lib/registry
        VOLUME /var/lib/registry
        ENTRYPOINT ["/usr/bin/docker-registry", "serve"]
        CMD ["/etc/docker/registry/config.yml"]
        """,
    PROMETHEUS: """
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends prometheus \\
            && rm -rf /var/lib/apt/lists/* \\
            && mkdir -p /prometheus && chown 65534:65534 /prometheus
        USER 65534
        ENTRYPOINT ["/usr/bin/prometheus"]
        """,
    # Debian's is 2.9.
    NATS: """
        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends nats-server \\
            && rm -rf /var/lib/apt/lists/*
        VOLUME /data
        ENTRYPOINT ["/usr/sbin/nats-server"]
        """,
    # Debian has no Grafana: a container of that name that does nothing.
    GRAFANA: """
        FROM debian:bookworm-slim
        ENTRYPOINT ["/bin/sh", "-c", "trap exit TERM; while sleep 1; do :; done"]
        """,
}


class Setup(unittest.TestCase):
    def test_base_image(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit")
        environment()
        run(SOURCE / "tests/containers/base_image.sh", WORK / "base-bookworm.tar", BASE)

    def test_images(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit")
        build_image(SOURCE, "--target", "scratch", "--tag", SCRATCH)
        build_image(SOURCE, "--tag", SLIM)

    def test_stand_ins(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit")
        for number, (name, text) in enumerate(STAND_INS.items()):
            context = WORK / f"stand-in-{number}"
            context.mkdir(parents=True, exist_ok=True)
            (context / "Dockerfile").write_text(text)
            build_image(context, "--tag", name)
        print("!!! Grafana is not in Debian: an empty image stands in for it, and the dashboard")
        print("!!! is checked by its type and by running its queries through promtool instead.")

    def test_cleanup(self):
        """Nothing is left running; images stay in the build directory to make reruns quick."""
        if shutil.which("podman") is None:
            return
        left = json.loads(podman("ps", "--all", "--format", "json").stdout)
        for container in left:
            podman("rm", "--force", "--time", "0", container["Id"])
        for net in json.loads(podman("network", "ls", "--format", "json").stdout):
            if net["name"].startswith(PREFIX):
                podman("network", "rm", "--force", net["name"])
        self.assertEqual([c["Names"] for c in left], [], "containers that tests left behind")
