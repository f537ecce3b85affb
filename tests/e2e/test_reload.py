"""Taking a new configuration over while it runs."""

import os
import signal
import subprocess
import threading
import time

from harness.case import EndToEndCase
from harness.daemon import config_text
from harness.events import envelope, event, ids, numbered
from harness.http import fetch
from harness.process import free_port
from harness.receiver import Answer, HANG
from harness.wait import stays_true, wait_until

QUICK = {"debounce": "100ms", "poll_interval": "0s"}
ASKED = {"watch": False}


class ReloadCase(EndToEndCase):
    """`start` gives a daemon with `reload` as its top-level key."""

    def start(self, endpoints, reload, **config):
        self.config = {"reload": reload, **config}
        return self.daemon(endpoints, **self.config)

    def text(self, endpoints, **changes):
        return config_text({**self.config, **changes, "endpoints": list(endpoints)})

    def write(self, daemon, endpoints, **changes):
        daemon.config_file.write_text(self.text(endpoints, **changes))

    def reload(self, daemon, endpoints=None, **changes):
        """Writes the configuration, has it read by POST, and returns the answer."""
        if endpoints is not None:
            self.write(daemon, endpoints, **changes)
        return fetch(daemon.admin, "POST", "/-/reload", b"", ())

    def results(self, daemon):
        """How often each result has come about."""
        metrics = daemon.metrics()
        return {result: metrics.value("fanfare_config_reloads_total", result=result)
                for result in ("ok", "rejected", "noop")}

    def wait_for_results(self, daemon, **expected):
        expected = {"ok": 0, "rejected": 0, "noop": 0, **expected}
        wait_until(lambda: self.results(daemon) == expected,
                   what=lambda: f"{expected}, not {self.results(daemon)}")

    def note_missed(self, daemon, *endpoints):
        """What was ingested so far these do not get."""
        total = daemon.metrics().value("fanfare_ingest_events_total")
        daemon.missed.update({name: total for name in endpoints})


class Asked(ReloadCase):
    """By signal and by POST; what is told."""

    def test_backlog_stays_while_an_endpoint_is_added_by_signal(self):
        """RL1."""
        receiver = self.receiver()
        receiver.on("/a", Answer(status=503))
        a = {"name": "a", "url": receiver.url("/a"), "backoff": "50ms"}
        daemon = self.start([a], ASKED)
        daemon.post(numbered(0, 100))
        receiver.wait_for(1, "/a")
        self.note_missed(daemon, "b")
        self.write(daemon, [a, {"name": "b", "url": receiver.url("/b")}])
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log_entries(msg="configuration reloaded"))
        self.assertEqual(daemon.pending("a"), 100)
        receiver.on("/a", Answer())
        self.wait_delivered(daemon, "a")
        self.assertEqual(receiver.accepted_ids("/a"), ids(0, 100))
        self.assertEqual(receiver.accepted_ids("/b"), [])
        daemon.post(numbered(100, 5))
        self.wait_delivered(daemon, "b")
        self.assertEqual(receiver.accepted_ids("/b"), ids(100, 5))

    def test_signal_carries_out_what_is_unchanged(self):
        daemon = self.start([], ASKED)
        daemon.send_signal(signal.SIGHUP)
        self.wait_for_results(daemon, ok=1)
        self.assertEqual(self.reload(daemon).json()["result"], "noop")

    def test_backlog_goes_to_the_new_url_in_order(self):
        """RL2."""
        receiver = self.receiver()
        dead = {"name": "a", "url": f"http://127.0.0.1:{free_port()}/", "backoff": "60s"}
        daemon = self.start([dead], ASKED)
        daemon.post(numbered(0, 100))
        wait_until(lambda: daemon.metrics().endpoint("breaker_open", "a") == 1)
        answer = self.reload(daemon, [{**dead, "url": receiver.url("/new")}])
        self.assertEqual(answer.json()["changed"], ["a"])
        self.wait_delivered(daemon, "a")
        self.assertEqual(receiver.accepted_ids("/new"), ids(0, 100))
        self.assertIn("/new", daemon.get("/v1/config").body.decode())
        settings = daemon.get("/v1/endpoints/a").json()["settings"]
        self.assertTrue(settings["url"].endswith("/new"))

    def test_what_is_refused_changes_nothing_and_says_where(self):
        """RL3."""
        receiver = self.receiver()
        a = {"name": "a", "url": receiver.url()}
        daemon = self.start([a], ASKED)
        hash_before = self.reload(daemon).json()["hash"]
        refused = {
            "endpoints: [": "2:",
            "endpoints:\n  - {name: a, url: 'http://a/'}\n  - {name: a, url: 'http://b/'}\n": "3:",
            "endpoints:\n  - {name: a, url: 'http://a/', format: template, template: '{{ x }}'}\n":
                "2:",
            "": "",
            "endpoints:\n  - name: t\n    url: https://a/\n    tls: {ca_file: /no/such/ca}\n": "2:5"}
        for number, (text, place) in enumerate(refused.items(), 1):
            daemon.config_file.write_text(text)
            answer = self.reload(daemon)
            self.assertEqual(answer.status, 400, text)
            error = answer.json()["errors"][0]
            self.assertEqual(error["detail"]["file"], str(daemon.config_file))
            self.assertTrue(error["message"].startswith(f"{daemon.config_file}:{place}"), error)
            self.wait_for_results(daemon, rejected=number, noop=1)
            self.assertEqual(daemon.metrics().value("fanfare_config_last_reload_success"), 0)
            self.assertEqual(daemon.metrics().sum("fanfare_config_info", hash=hash_before), 1)
            self.assertTrue(any(error["message"] == entry.get("problem")
                                for entry in daemon.log_entries(level="error")), error)
        daemon.post(numbered(0, 3))
        self.wait_delivered(daemon, "a")
        self.assertEqual(receiver.accepted_ids(), ids(0, 3))
        self.assertEqual(self.reload(daemon, [a]).json()["result"], "noop")
        self.assertEqual(daemon.metrics().value("fanfare_config_last_reload_success"), 1)

    def test_check_prints_the_same_message(self):
        daemon = self.start([], ASKED)
        self.write(daemon, [{"name": "a", "url": "ftp://a/", "timeout": 5}])
        answer = self.reload(daemon)
        _, _, printed = self.run_fanfare("check", "-c", daemon.config_file)
        self.assertEqual([error["message"] for error in answer.json()["errors"]],
                         printed.splitlines())
        detail = answer.json()["errors"][0]["detail"]
        self.assertEqual(detail["key"], "endpoints[0].url")
        self.assertIn(f":{detail['line']}:{detail['column']}:", printed)

    def test_removed_endpoint_delivers_what_it_has(self):
        """RL4, the receiver is healthy."""
        receiver = self.receiver()
        receiver.on("/a", Answer(delay=0.05))
        daemon = self.start([{"name": "a", "url": receiver.url("/a")}], ASKED,
                            shutdown={"drain": "10s"})
        daemon.post(numbered(0, 10))
        self.assertEqual(self.reload(daemon, []).json()["removed"], ["a"])
        daemon.post(numbered(10, 10))
        wait_until(lambda: daemon.metrics().endpoints() == [])
        self.assertEqual(receiver.accepted_ids("/a"), ids(0, 10))
        self.assertEqual(daemon.get("/v1/endpoints").json()["endpoints"], [])

    def test_removed_endpoint_drops_what_it_cannot_deliver_in_time(self):
        """RL4, the receiver is dead."""
        dead = {"name": "a", "url": f"http://127.0.0.1:{free_port()}/"}
        daemon = self.start([dead], ASKED, shutdown={"drain": "1s"})
        daemon.post(numbered(0, 10))
        begun = time.monotonic()
        self.reload(daemon, [{**dead, "disabled": True}])
        self.assertEqual(daemon.pending("a"), 10)
        wait_until(lambda: daemon.log_entries(msg="events dropped", endpoint="a"))
        self.assertGreaterEqual(time.monotonic() - begun, 0.95)
        dropped = daemon.log_entries(msg="events dropped", endpoint="a")[0]
        self.assertEqual((dropped["reason"], dropped["events"]), ("removed", 10))
        wait_until(lambda: daemon.metrics().endpoints() == [])
        self.assertEqual(daemon.get("/v1/endpoints/a").json()["state"], "disabled")

    def test_name_that_comes_back_while_the_old_one_drains(self):
        receiver = self.receiver()
        receiver.on("/old", HANG)
        old = {"name": "a", "url": receiver.url("/old"), "timeout": "60s"}
        daemon = self.start([old], ASKED, shutdown={"drain": "1500ms"})
        daemon.post(numbered(0, 10))
        receiver.wait_for(1, "/old")
        self.reload(daemon, [])
        self.note_missed(daemon, "a")
        self.reload(daemon, [{"name": "a", "url": receiver.url("/new")}])
        daemon.post(numbered(10, 10))
        self.wait_delivered(daemon, "a")
        self.assertEqual(receiver.accepted_ids("/new"), ids(10, 10))
        wait_until(lambda: daemon.log_entries(msg="events dropped", reason="removed"))
        self.assertEqual(daemon.metrics().endpoint("successes_total", "a"), 10)

    def test_backoff_is_cut_short(self):
        """RL12."""
        receiver = self.receiver()
        receiver.script("/a", [500, 500], then=Answer())
        a = {"name": "a", "url": receiver.url("/a"), "threshold": 2, "backoff": "60s",
             "batch": {"max_events": 10}}
        daemon = self.start([a], ASKED)
        daemon.post(numbered(0, 5))
        receiver.wait_for(2, "/a")
        wait_until(lambda: daemon.metrics().endpoint("breaker_open", "a") == 1)
        self.reload(daemon, [{**a, "headers": {"X-New": "yes"}}])
        self.wait_delivered(daemon, "a", 5)
        requests = receiver.received("/a")
        self.assertEqual(requests[-1].header("X-New"), "yes")
        self.assertEqual(receiver.accepted_ids("/a"), ids(0, 5))

    def test_unchanged_endpoint_keeps_its_request_and_its_connection(self):
        receiver = self.receiver()
        receiver.on("/a", Answer())
        a = {"name": "a", "url": receiver.url("/a"), "timeout": "20s"}
        daemon = self.start([a], ASKED)
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "a")
        receiver.on("/a", Answer(delay=1))
        daemon.post(numbered(1, 2))
        receiver.wait_for(2, "/a")
        answer = self.reload(daemon, [a, {"name": "b", "url": receiver.url("/b")}])
        self.assertEqual((answer.json()["unchanged"], answer.json()["added"]), (["a"], ["b"]))
        daemon.missed["b"] = 3
        self.wait_delivered(daemon, "a")
        self.assertEqual(receiver.accepted_ids("/a"), ids(0, 3))
        self.assertEqual(len({request.connection for request in receiver.received("/a")}), 1)
        self.assertEqual(daemon.metrics().endpoint("errors_total", "a"), 0)

    def test_keys_that_need_a_restart_are_told_and_the_rest_is_taken(self):
        receiver = self.receiver()
        daemon = self.start([], ASKED)
        answer = self.reload(daemon, [{"name": "a", "url": receiver.url()}], threads=2,
                             ingest={"path": "/other"}, log={"format": "json", "level": "debug"})
        self.assertEqual(answer.json()["needs_restart"], ["ingest.path", "threads"])
        self.assertEqual(answer.json()["added"], ["a"])
        self.assertEqual(daemon.get("/v1/config").json()["threads"], 1)
        self.assertEqual(daemon.get("/v1/config").json()["log"]["level"], "debug")
        self.assertTrue(daemon.log_entries(keys="ingest.path, threads"))
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "a")
        wait_until(lambda: daemon.log_entries(level="debug", msg="delivered"))
        self.assertEqual(self.reload(daemon, []).json()["needs_restart"], [])

    def test_settings_that_are_taken_over_are_told(self):
        daemon = self.start([], ASKED)
        answer = self.reload(daemon, [], history={"capacity": 5}, streams={"max_total": 3}).json()
        self.assertEqual((answer["result"], answer["settings"], answer["needs_restart"]),
                         ("ok", ["history.capacity", "streams.max_total"], []))
        [record] = daemon.get("/v1/events?action=config.reloaded").json()["events"]
        self.assertEqual(record["event"]["settings"], answer["settings"])
        self.assertTrue(daemon.log_entries(msg="configuration reloaded",
                                           settings="history.capacity, streams.max_total"))

    def test_cross_site_requests_are_refused(self):
        daemon = self.start([], ASKED)
        answer = fetch(daemon.admin, "POST", "/-/reload", b"",
                       (("Origin", "http://evil.example"),))
        self.assertEqual(answer.status, 403)
        self.assertEqual(fetch(daemon.admin, "GET", "/-/reload").status, 405)
        self.wait_for_results(daemon)

    def test_command(self):
        receiver = self.receiver()
        daemon = self.start([], ASKED)
        url = f"http://{daemon.admin}"
        self.write(daemon, [{"name": "a", "url": receiver.url()}], threads=2)
        code, output, _ = self.run_fanfare("reload", "--url", url)
        self.assertEqual(code, 0)
        self.assertIn("added: a\n", output)
        self.assertIn("restart only: threads\n", output)
        code, output, _ = self.run_fanfare("reload", "--url", url)
        self.assertEqual((code, output), (0, "unchanged, nothing to do\n"))
        daemon.config_file.write_text("endpoint: []\n")
        code, _, errors = self.run_fanfare("reload", "--url", url)
        self.assertEqual(code, 1)
        self.assertIn(f"{daemon.config_file}:1:1: error: endpoint: ", errors)


class Watched(ReloadCase):
    """By the file's own changes."""

    def setUp(self):
        super().setUp()
        self.sink = self.receiver()

    def named(self, *names):
        return [{"name": name, "url": self.sink.url()} for name in names]

    def wait_for_names(self, daemon, *names):
        wait_until(lambda: daemon.metrics().endpoints() == sorted(names),
                   what=lambda: f"{names}, not {daemon.metrics().endpoints()}")

    def test_ways_to_write_a_file(self):
        """RL5. One reload each, never with half a file."""
        daemon = self.start(self.named("a"), {"debounce": "500ms", "poll_interval": "0s"})
        for number, write in enumerate((self.write_as_vim, self.write_as_cp, self.write_as_sed,
                                        self.write_in_two_steps), 1):
            name = f"n{number}"
            daemon.missed[name] = 0
            write(daemon.config_file, self.text(self.named("a", name)))
            self.wait_for_names(daemon, "a", name)
            self.assertTrue(stays_true(
                lambda n=number: self.results(daemon) == {"ok": n, "rejected": 0, "noop": 0}, 0.8),
                (write.__name__, self.results(daemon)))

    @staticmethod
    def write_as_vim(file, text):
        backup = file.with_name(file.name + "~")
        file.rename(backup)
        file.write_text(text)
        backup.unlink()

    def write_as_cp(self, file, text):
        source = self.directory / "new.yaml"
        source.write_text(text)
        subprocess.run(["cp", source, file], check=True)

    def write_as_sed(self, file, text):
        self.assertIn("n2", file.read_text())
        self.assertEqual(text.replace("n3", "n2"), file.read_text())
        subprocess.run(["sed", "-i", "s/n2/n3/", file], check=True)

    @staticmethod
    def write_in_two_steps(file, text):
        """The first half is a configuration, too, or would be."""
        middle = len(text) // 2
        file.write_text(text[:middle])
        time.sleep(0.1)  # what is tested
        with file.open("a") as out:
            out.write(text[middle:])

    def test_config_map_swap(self):
        """RL6."""
        mount = self.directory / "mount"
        daemon_directory = self.directory / "daemon0"
        for name in ("..1", "..2"):
            (mount / name).mkdir(parents=True)
        self.config = {"reload": QUICK}
        (mount / "..1" / "fanfare.yaml").write_text(self.text(self.named("a")))
        (mount / "..2" / "fanfare.yaml").write_text(self.text(self.named("b")))
        (mount / "..data").symlink_to("..1")
        (mount / "fanfare.yaml").symlink_to("..data/fanfare.yaml")
        daemon = self.daemon(None, env={"FILE": str(mount / "fanfare.yaml")},
                             prefix=("sh", "-c", 'exec "$1" serve -c "$FILE"', "sh"),
                             ready=True)
        self.assertTrue(daemon_directory.exists())
        self.wait_for_names(daemon, "a")
        (mount / "..tmp").symlink_to("..2")
        os.rename(mount / "..tmp", mount / "..data")
        self.wait_for_names(daemon, "b")
        (mount / "..1" / "fanfare.yaml").unlink()
        (mount / "..3").mkdir()
        (mount / "..3" / "fanfare.yaml").write_text(self.text(self.named("c")))
        (mount / "..tmp").symlink_to("..3")
        os.rename(mount / "..tmp", mount / "..data")
        self.wait_for_names(daemon, "c")

    def test_many_writes_are_one_reload(self):
        """RL7."""
        daemon = self.start(self.named("a"), {"debounce": "2s", "poll_interval": "0s"})
        begun = time.monotonic()
        for number in range(20):
            self.write(daemon, self.named(f"n{number}"))
            while time.monotonic() < begun + number * 0.02:
                time.sleep(0.001)  # spreads them over 400 ms
        self.assertLess(time.monotonic() - begun, 1.9)
        self.wait_for_names(daemon, "n19")
        self.assertTrue(stays_true(lambda: self.results(daemon)["ok"] == 1, 1))
        self.assertEqual(self.results(daemon), {"ok": 1, "rejected": 0, "noop": 0})

    def test_change_during_a_slow_reload_is_one_more(self):
        """RL8. The reload is slow because a secret comes out of a pipe that nobody writes to."""
        pipe = self.directory / "secret"
        os.mkfifo(pipe)
        slow = {"name": "slow", "url": self.sink.url(),
                "auth": {"type": "bearer", "token_file": str(pipe)}}
        daemon = self.start(self.named("a"), QUICK)
        self.write(daemon, [slow])
        writer = open(pipe, "wb")  # until the daemon reads
        for name in ("b", "c"):
            self.write(daemon, self.named(name))
            time.sleep(0.15)  # longer than the debounce
        self.assertEqual(daemon.metrics().endpoints(), ["a"])
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "a")
        daemon.missed["c"] = 1
        writer.write(b"token\n")
        writer.close()
        self.wait_for_names(daemon, "c")
        self.assertTrue(stays_true(lambda: self.results(daemon)["ok"] == 2, 0.5))
        self.assertEqual(self.results(daemon), {"ok": 2, "rejected": 0, "noop": 0})

    def test_file_that_is_gone_and_comes_back(self):
        """RL9."""
        daemon = self.start(self.named("a"), QUICK)
        daemon.config_file.unlink()
        wait_until(lambda: daemon.log_entries(level="warning", component="config"))
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "a")
        time.sleep(1)  # that long it is gone
        self.assertEqual(len(daemon.log_entries(level="warning", component="config")), 1)
        self.assertEqual(self.results(daemon), {"ok": 0, "rejected": 0, "noop": 0})
        daemon.missed["b"] = 1
        self.write(daemon, self.named("a", "b"))
        self.wait_for_names(daemon, "a", "b")

    def test_touch_and_truncation(self):
        """RL10."""
        daemon = self.start(self.named("a"), QUICK)
        subprocess.run(["touch", daemon.config_file], check=True)
        self.wait_for_results(daemon, noop=1)
        daemon.config_file.write_text("")
        self.wait_for_results(daemon, noop=1, rejected=1)
        daemon.post(numbered(0, 1))
        self.wait_delivered(daemon, "a")
        self.assertEqual(daemon.metrics().value("fanfare_config_last_reload_success"), 0)

    def test_without_signs_the_content_is_compared(self):
        """A file behind a link to another folder, changed with the same size and times."""
        elsewhere = self.directory / "elsewhere"
        elsewhere.mkdir()
        daemon = self.start(self.named("aa"), {"debounce": "50ms", "poll_interval": "200ms"})
        old = daemon.config_file.read_text()
        times = daemon.config_file.stat()
        new = old.replace('"aa"', '"bb"')
        with daemon.config_file.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), new.encode(), 0)
            os.utime(daemon.config_file, ns=(times.st_atime_ns, times.st_mtime_ns))
            # Not closed yet: that would be a sign.
            self.wait_for_names(daemon, "bb")
        self.wait_for_results(daemon, ok=1, noop=1)

    def test_nothing_is_watched_if_it_is_not_to_be(self):
        daemon = self.start(self.named("a"), ASKED)
        self.write(daemon, self.named("b"), reload=QUICK)
        self.assertTrue(stays_true(lambda: daemon.metrics().endpoints() == ["a"], 1))
        self.reload(daemon)
        self.wait_for_names(daemon, "b")
        self.write(daemon, self.named("c"), reload=QUICK)
        self.wait_for_names(daemon, "c")

    def test_stuck_reload_does_not_keep_it_from_ending(self):
        pipe = self.directory / "secret"
        os.mkfifo(pipe)
        slow = {"name": "slow", "url": self.sink.url(),
                "auth": {"type": "bearer", "token_file": str(pipe)}}
        daemon = self.start(self.named("a"), QUICK)
        self.write(daemon, [slow])
        writer = os.open(pipe, os.O_WRONLY)  # until the daemon reads
        self.addCleanup(os.close, writer)
        begun = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begun, 8)


class OnDisk(ReloadCase):
    """With `queue: {storage: disk}`."""

    def setUp(self):
        super().setUp()
        self.target = self.receiver()
        self.target.on("/hook", Answer(503))
        self.endpoint = {"name": "a", "url": self.target.url(), "backoff": "100ms"}
        self.fanfare = self.start([self.endpoint], {"watch": False},
                                  queue={"storage": "disk", "dir": str(self.directory / "queue")})

    def test_removed_endpoint_sends_no_more_and_goes_on_when_it_comes_back(self):
        self.fanfare.post(numbered(0, 20))
        self.assertEqual(self.reload(self.fanfare, []).json()["removed"], ["a"])
        wait_until(lambda: self.fanfare.metrics().endpoints() == [])
        attempts = self.target.count()
        self.target.on("/hook", Answer(200))
        self.fanfare.post(numbered(20, 5))
        self.assertEqual(self.target.count(), attempts)
        self.note_missed(self.fanfare, "a")

        self.assertEqual(self.reload(self.fanfare, [self.endpoint]).json()["added"], ["a"])
        self.wait_delivered(self.fanfare, "a")
        self.assertEqual(self.target.accepted_ids(), ids(0, 20))
        self.assertEqual(self.fanfare.metrics().endpoint("restored_events_total", "a"), 20)

    def test_backlog_goes_to_the_new_url_in_order(self):
        self.fanfare.post(numbered(0, 100))
        other = self.receiver()
        self.reload(self.fanfare, [{**self.endpoint, "url": other.url()}])
        self.wait_delivered(self.fanfare, "a")
        self.assertEqual(other.accepted_ids(), ids(0, 100))

    def test_other_storage_is_refused_until_a_restart(self):
        """Bounds that are right for a queue in memory would throw a backlog on disk away."""
        answer = self.reload(self.fanfare, [], queue={"storage": "memory"})
        self.assertEqual(answer.status, 400, answer.body)
        self.assertEqual(answer.json()["errors"][0]["detail"]["key"], "queue.storage")
        self.fanfare.post(numbered(0, 3))
        self.assertEqual(self.fanfare.pending("a"), 3)


class UnderLoad(ReloadCase):
    """100 reloads while events come in: added, removed, changed and renamed endpoints, changed
    URLs, broken files, written in three ways."""

    def test_hundred_reloads(self):
        self.reload_a_hundred_times()

    def test_hundred_reloads_with_the_queue_on_disk(self):
        self.reload_a_hundred_times(
            queue={"storage": "disk", "dir": str(self.directory / "queue")})

    def reload_a_hundred_times(self, **config):
        receiver = self.receiver()
        steady = [{"name": name, "url": receiver.url(f"/{name}")} for name in ("s1", "s2", "s3")]
        daemon = self.start(steady, {"debounce": "10ms", "poll_interval": "0s"},
                            shutdown={"drain": "5s"}, **config)
        sender = Sender(daemon)
        self.addCleanup(sender.stop)
        sender.start()
        before = None
        for number in range(100):
            if number == 10:
                before = (daemon.descriptors(), self.threads(daemon))
            self.change(daemon, receiver, steady, number)
            wait_until(lambda n=number: sender.sent > 5 * n)
        self.write(daemon, steady)
        self.assertIn(self.reload(daemon).json()["result"], ("ok", "noop"))
        sender.stop()
        for endpoint in steady:
            self.wait_delivered(daemon, endpoint["name"])
            self.assertEqual(receiver.accepted_ids(f"/{endpoint['name']}"), ids(0, sender.sent))
        wait_until(lambda: daemon.metrics().endpoints() == ["s1", "s2", "s3"])
        self.assertEqual(self.threads(daemon), before[1])
        wait_until(lambda: daemon.descriptors() <= before[0] + 2,
                   what=lambda: f"{before[0]} descriptors, not {daemon.descriptors()}")
        print(f"{sender.sent} events, {self.results(daemon)}")

    def change(self, daemon, receiver, steady, number):
        """One more configuration, and until it is taken over."""
        kind = number % 5
        changing = {"name": f"c{number // 5}", "url": receiver.url(f"/c?{number}"),
                    "max_in_flight": 1 + number % 3}
        if kind == 4:
            daemon.config_file.write_text("endpoints: [{name: s1")
            return self.assertEqual(self.reload(daemon).status, 400)
        text = self.text([*steady, changing][:4 if kind != 3 else 3])
        if kind == 0:
            other = self.directory / "other.yaml"
            other.write_text(text)
            os.rename(other, daemon.config_file)
        else:
            daemon.config_file.write_text(text)
        answer = self.reload(daemon)
        self.assertEqual(answer.status, 200, answer.body)
        return None

    @staticmethod
    def threads(daemon):
        return len(os.listdir(f"/proc/{daemon.pid}/task"))

    def assert_conserved(self, daemon):
        """For those that were there all the time."""
        self.assertEqual([text for text in daemon.metrics().imbalance() if text[0] == "s"], [])


class Sender:
    """Posts events, one at a time, until it is told to stop."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.sent = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join(10)

    def _run(self):
        while not self._stopped.is_set():
            answer = self.daemon.post(envelope(event(f"e{self.sent}")))
            assert answer.status == 202, answer
            self.sent += 1
            self._stopped.wait(0.002)
