"""A real registry in front of the daemon."""

import signal
import ssl

from harness.case import EndToEndCase
from harness.certificates import Authority
from harness.http import Connection
from harness.images import ImageLayout
from harness.process import require_program
from harness.receiver import Receiver
from harness.registry import Registry
from harness.wait import wait_until

HEADS = 10_000


class RegistryCase(EndToEndCase):
    """A registry that notifies a daemon, and for comparison a receiver directly."""

    def setUp(self):
        super().setUp()
        require_program("docker-registry", "skopeo", "curl")
        self.behind = self.receiver()
        self.direct = self.receiver()

    def start(self, with_direct=True, scheme="http", timeout="5s", registry_env=None, **config):
        self.fanfare = self.daemon([{"name": "behind", "url": self.behind.url(),
                                     "timeout": "5s"}], **config)
        endpoints = [{"name": "fanfare", "url": f"{scheme}://{self.fanfare.ingest}/events",
                      "timeout": timeout, "threshold": 3, "backoff": "200ms"}]
        if with_direct:
            endpoints.append({"name": "direct", "url": self.direct.url(), "timeout": "5s"})
        self.registry = self.process(
            Registry(self.directory / "registry", endpoints, registry_env))

    def wait_events(self, count, seconds=20.0):
        """Until the registry has sent `count` events and the daemon has delivered them."""
        self.registry.wait_drained("fanfare", count, seconds)
        self.behind.wait_for(count, seconds=seconds)
        self.wait_delivered(self.fanfare, "behind")
        return [event for r in self.behind.received() for event in r.events()]

    def assert_same_as_direct(self):
        """Acceptance 1: what came through the daemon is what the registry has sent."""
        wait_until(lambda: self.direct.count() == self.behind.count(),
                   what="as many events through the daemon as directly")
        for through, direct in zip(self.behind.received(), self.direct.received()):
            self.assertEqual(through.events(), direct.events())
            self.assertEqual(through.header("Content-Type"), direct.header("Content-Type"))

    def push_manifest(self, layout, repository, tag):
        file = self.directory / "manifest.json"
        file.write_bytes(layout.manifest_bytes)
        status = self.registry.curl(
            "-X", "PUT", "-H", f"Content-Type: {layout.manifest['mediaType']}",
            "--data-binary", f"@{file}", self.registry.url(f"{repository}/manifests/{tag}"))
        self.assertEqual(status, [201])


class PushAndPull(RegistryCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.image = ImageLayout(self.directory / "image")
        self.registry.push(self.image, "library/tiny:v1")
        self.pushed = self.wait_events(4)

    def test_push_of_two_layers_makes_four_events_in_the_registrys_order(self):
        """Acceptance 2."""
        self.assertEqual([e["action"] for e in self.pushed], ["push"] * 4)
        self.assertEqual([e["target"]["mediaType"] for e in self.pushed[:3]],
                         ["application/octet-stream"] * 3)
        manifest = self.pushed[3]["target"]
        self.assertEqual(manifest["mediaType"], self.image.manifest["mediaType"])
        self.assertEqual(manifest["tag"], "v1")
        self.assertEqual([r["digest"] for r in manifest["references"]],
                         [d["digest"] for d in (self.image.config, *self.image.layers)])
        self.assert_same_as_direct()

    def test_pull_makes_pull_events(self):
        """Acceptance 3, the pull."""
        self.registry.pull("library/tiny:v1", self.directory / "pulled")
        pulled = self.wait_events(8)[4:]
        self.assertEqual({e["action"] for e in pulled}, {"pull"})
        self.assertEqual({e["target"]["digest"] for e in pulled},
                         {d["digest"] for d in (self.image.manifest, self.image.config,
                                                *self.image.layers)})
        self.assert_same_as_direct()

    def test_mount_from_another_repository_names_it(self):
        """Acceptance 3, the mount."""
        digest = self.image.layers[0]["digest"]
        status = self.registry.curl("-X", "POST", self.registry.url(
            f"library/other/blobs/uploads/?mount={digest}&from=library/tiny"))
        self.assertEqual(status, [201])
        mounted = self.wait_events(5)[4]
        self.assertEqual(mounted["action"], "mount")
        self.assertEqual(mounted["target"]["fromRepository"], "library/tiny")
        self.assertEqual(mounted["target"]["repository"], "library/other")
        self.assert_same_as_direct()

    def test_head_is_a_pull_with_its_method(self):
        """Acceptance 3, the HEAD."""
        digest = self.image.layers[0]["digest"]
        self.assertEqual(self.registry.curl(
            "--head", self.registry.url(f"library/tiny/blobs/{digest}")), [200])
        looked_at = self.wait_events(5)[4]
        self.assertEqual((looked_at["action"], looked_at["request"]["method"]),
                         ("pull", "HEAD"))
        self.assert_same_as_direct()

    def test_delete_of_a_manifest_with_four_tags_makes_five_events_of_one_request(self):
        """Acceptance 3, the deletes."""
        for tag in ("v2", "v3", "v4"):
            self.push_manifest(self.image, "library/tiny", tag)
        self.wait_events(7)
        digest = self.image.manifest["digest"]
        self.assertEqual(self.registry.curl(
            "-X", "DELETE", self.registry.url(f"library/tiny/manifests/{digest}")), [202])
        deletes = self.wait_events(12)[7:]
        self.assertEqual([e["action"] for e in deletes], ["delete"] * 5)
        self.assertEqual(deletes[0]["target"]["digest"], digest)
        self.assertEqual({e["target"]["tag"] for e in deletes[1:]}, {"v1", "v2", "v3", "v4"})
        self.assertEqual(len({e["request"]["id"] for e in deletes}), 1)
        self.assert_same_as_direct()

    def test_receiver_down_for_a_while_loses_nothing_and_does_not_hold_the_registry_up(self):
        """Acceptance 23 with a real registry."""
        self.behind.close()
        for tag in ("w1", "w2", "w3"):
            self.push_manifest(self.image, "library/tiny", tag)
        metrics = self.registry.wait_drained("fanfare", 7)
        self.assertEqual((metrics["Failures"], metrics["Errors"]), (0, 0))
        self.assertEqual(self.fanfare.pending("behind"), 3)
        back = Receiver(port=self.behind.port)
        self.addCleanup(back.close)
        received = back.wait_for(3)
        self.assertEqual([r.events()[0]["target"]["tag"] for r in received], ["w1", "w2", "w3"])
        self.wait_delivered(self.fanfare, "behind")


class ManyHeads(RegistryCase):
    def test_ten_thousand_heads_lose_nothing(self):
        """Acceptance 4, with a fifth of its number."""
        self.start(with_direct=False)
        image = ImageLayout(self.directory / "image")
        self.registry.push(image, "library/tiny:v1")
        self.wait_events(4)
        digest = image.layers[0]["digest"]

        answers = self.registry.curl(
            "--head", "--parallel", "--parallel-max", "4",
            self.registry.url(f"library/tiny/blobs/{digest}?n=[1-{HEADS}]"))

        self.assertEqual(answers, [200] * HEADS)
        events = self.wait_events(HEADS + 4, seconds=120)[4:]
        self.assertEqual(len({e["id"] for e in events}), HEADS)
        self.assertEqual({(e["action"], e["request"]["method"]) for e in events},
                         {("pull", "HEAD")})
        metrics = self.registry.notification_metrics("fanfare")
        self.assertEqual((metrics["Pending"], metrics["Failures"], metrics["Errors"]), (0, 0, 0))
        self.assertEqual(metrics["Successes"], HEADS + 4)


class SlowIngest(RegistryCase):
    def test_registry_that_ran_out_of_patience_sends_again_under_the_same_id(self):
        """Acceptance 40."""
        self.start(timeout="500ms")
        image = ImageLayout(self.directory / "image")
        self.registry.push(image, "library/tiny:v1")
        self.wait_events(4)

        self.fanfare.send_signal(signal.SIGSTOP)
        for tag in ("w1", "w2", "w3"):
            self.push_manifest(image, "library/tiny", tag)
        wait_until(lambda: self.registry.notification_metrics("fanfare")["Errors"] > 0)
        self.fanfare.send_signal(signal.SIGCONT)

        self.registry.wait_drained("fanfare", 7)
        self.wait_delivered(self.fanfare, "behind")
        direct = [event["id"] for r in self.direct.wait_for(7) for event in r.events()]
        wait_until(lambda: set(self.behind.accepted_ids()) == set(direct))
        # Whatever came twice came under one id, and each first time in order.
        self.assertEqual(list(dict.fromkeys(self.behind.accepted_ids())), direct)


class HttpsIngest(RegistryCase):
    def test_registry_speaks_http_1_1_to_our_https(self):
        """Acceptance 39."""
        authority = Authority(self.directory)
        certificate, key = authority.issue("ingest")
        self.start(scheme="https", registry_env={"SSL_CERT_FILE": str(authority.file)},
                   ingest={"tls": {"cert_file": str(certificate), "key_file": str(key)}})

        self.registry.push(ImageLayout(self.directory / "image"), "library/tiny:v1")

        self.wait_events(4)
        self.assert_same_as_direct()
        metrics = self.registry.notification_metrics("fanfare")
        self.assertEqual((metrics["Failures"], metrics["Errors"]), (0, 0))
        self.assertNotRegex(self.registry.text().lower(), "protocol error|malformed|tls:|x509")
        self.assert_http_1_1_is_chosen(authority)

    def assert_http_1_1_is_chosen(self, authority):
        tls = authority.client_context(alpn=["h2", "http/1.1"])
        with Connection(self.fanfare.ingest, tls=tls) as connection:
            self.assertEqual(connection.socket.selected_alpn_protocol(), "http/1.1")
        with self.assertRaises(ssl.SSLError):  # a client that knows nothing of the authority
            Connection(self.fanfare.ingest, tls=ssl.create_default_context())
