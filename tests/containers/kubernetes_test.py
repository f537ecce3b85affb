"""The Kubernetes manifests: every key known to the types, and really run as a pod."""

import json
import re
import unittest

from harness import (
    DEPLOY, SLIM, WORK, Container, environment, get, network, podman, require, sample, wait_until,
)  # fmt: skip
from tiny_image import push_tiny_image
from typed import check_types

DIRECTORY = DEPLOY / "k8s"
FLEET = DEPLOY / "k8s-fleet"


def manifests(directory):
    return sorted(f for f in directory.glob("*.yaml") if f.name != "kustomization.yaml")


MANIFESTS = [*manifests(DIRECTORY), *manifests(FLEET)]


class Kubernetes(unittest.TestCase):
    def test_every_key_is_one_that_kubernetes_knows(self):
        done = check_types("kubernetes", *MANIFESTS)

        self.assertEqual(done.returncode, 0, done.stdout)

    def test_unknown_keys_are_refused(self):
        environment()
        mistakes = (
            ("deployment.yaml", "readOnlyRootFilesystem", "readOnlyRootFileSystem"),
            ("poddisruptionbudget.yaml", "maxUnavailable", "maxUnavailble"),
            ("service.yaml", "selector", "selektor"),
            ("servicemonitor.yaml", "interval", "intervall"),
            ("prometheusrule.yaml", "annotations", "anotations"),
            ("../k8s-fleet/nats.yaml", "volumeClaimTemplates", "volumeClaimTemplate"),
            ("../k8s-fleet/nats.yaml", "podSelector", "podSelektor"),
            ("../k8s-fleet/autoscaler.yaml", "maxReplicas", "maxReplikas"),
        )
        copies = []
        for number, (name, before, after) in enumerate(mistakes):
            text = (DIRECTORY / name).read_text()
            self.assertIn(before, text)
            copies.append(WORK / "tmp" / f"{number}.yaml")
            copies[-1].write_text(text.replace(before, after))

        done = check_types("kubernetes", *copies)

        self.assertNotEqual(done.returncode, 0)
        for _, _, after in mistakes:
            self.assertIn(f"'{after}'", done.stdout.replace('"', ""))

    def test_kustomization_names_every_file(self):
        for directory in (DIRECTORY, FLEET):
            text = (directory / "kustomization.yaml").read_text()

            listed = set(re.findall(r"- (\S+\.yaml)$", text, re.MULTILINE))

            self.assertEqual(listed, {file.name for file in manifests(directory)})

    def test_pod_outlives_the_drain(self):
        for deployment, config in (("k8s/deployment.yaml", "k8s/configmap.yaml"),
                                   ("k8s-fleet/replicas.yaml", "k8s-fleet/replicas.yaml")):
            deployment = (DEPLOY / deployment).read_text()
            config = (DEPLOY / config).read_text()

            grace = int(re.search(r"terminationGracePeriodSeconds: (\d+)", deployment)[1])
            pause = int(re.search(r'/bin/sleep, "(\d+)"', deployment)[1])
            drain = int(re.search(r"drain: (\d+)s", config)[1])

            self.assertGreater(grace, pause + drain)

    def test_pod_delivers_what_is_pushed_to_its_registry(self):
        require("buildah", "podman", "runc", "mmdebstrap", "catatonit", "skopeo")
        environment()
        text = "\n---\n".join(
            (DIRECTORY / name).read_text() for name in ("configmap.yaml", "deployment.yaml")
        )
        url = "http://receiver.default.svc.cluster.local:9000/"
        self.assertIn(url, text)
        file = WORK / "tmp/pod.yaml"
        file.write_text(text.replace(url, "http://receiver:9000/"))
        with network() as net, Container(
            SLIM, "listen", "--listen", "0.0.0.0:9000",
            options=("--network", net, "--network-alias", "receiver", "--no-healthcheck"),
        ) as receiver:  # fmt: skip
            try:
                podman("play", "kube", "--network", net, file)
                self.check_running(net, receiver)
            except BaseException:
                for name in ("registry-pod-0-registry", "registry-pod-0-fanfare"):
                    print(f"--- log of {name}\n{podman('logs', name, check=False).stdout}")
                raise
            finally:
                podman("play", "kube", "--down", file)
        self.assertEqual(podman("pod", "ls", "--quiet").stdout.strip(), "")

    def check_running(self, net, receiver):
        infra = json.loads(podman("pod", "inspect", "registry-pod-0").stdout)["InfraContainerID"]
        settings = json.loads(podman("inspect", infra).stdout)[0]["NetworkSettings"]
        address = settings["Networks"][net]["IPAddress"]
        wait_until("fanfare", lambda: get(f"http://{address}:8081/readyz")[0] == 200)
        wait_until("registry", lambda: get(f"http://{address}:5000/v2/")[0] == 200)

        push_tiny_image(f"{address}:5000", "demo/tiny", "v1")

        def delivered():
            metrics = get(f"http://{address}:8081/metrics")[1]
            return sample(metrics, "fanfare_endpoint_successes_total", endpoint="receiver")

        # The blobs are ignored; the manifest is not.
        wait_until("the push", lambda: delivered() == 1)
        self.assertIn("push", receiver.log())
        # Ingest is for the pod alone.
        with self.assertRaises(OSError):
            get(f"http://{address}:8080/events", b"{}")
        fanfare = json.loads(podman("inspect", "registry-pod-0-fanfare").stdout)[0]
        self.assertTrue(fanfare["HostConfig"]["ReadonlyRootfs"])
        self.assertEqual(fanfare["EffectiveCaps"] or [], [])
