"""`fanfare store`: a look at the durable queue while no daemon runs."""

import contextlib
import fcntl
import json
import sqlite3

from harness.case import DATA, EndToEndCase


class Store(EndToEndCase):
    def setUp(self):
        super().setUp()
        self.folder = self.directory / "queue"
        self.folder.mkdir(mode=0o700)
        self.change((DATA / "stores" / "schema-1.sql").read_text())

    def change(self, statements):
        with contextlib.closing(sqlite3.connect(self.folder / "events.db")) as database:
            database.executescript(statements)

    def store(self, *arguments):
        return self.run_fanfare("store", *arguments, "--dir", self.folder)

    def info(self):
        code, output, errors = self.store("info", "--json")
        self.assertEqual((code, errors), (0, ""))
        return json.loads(output)

    def test_info(self):
        info = self.info()
        self.assertEqual((info["events"], info["last_seq"]), (4, 6))
        audit, gone = info["endpoints"]
        self.assertEqual(audit, {"name": "audit", "pending_events": 3, "pending_bytes": 81,
                                 "oldest_accepted_at": "2023-11-14T22:13:22.000Z",
                                 "removed_at": None})
        self.assertEqual(gone["pending_events"], 1)
        self.assertEqual(gone["removed_at"], "2023-11-14T22:14:20.000Z")

    def test_info_as_a_table(self):
        code, output, errors = self.store("info")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn(": 4 events, last seq 6, ", output)
        rows = [line.split() for line in output.splitlines()[2:]]
        self.assertEqual(rows[0], ["ENDPOINT", "STATE", "PENDING", "BYTES", "OLDEST"])
        self.assertEqual(rows[1][:4], ["audit", "configured", "3", "81"])
        self.assertRegex(rows[1][4], r"^\d+h")
        self.assertEqual(rows[2][:2], ["gone", "removed"])

    def test_check(self):
        code, output, errors = self.store("check")
        self.assertEqual((code, errors), (0, ""))
        self.assertTrue(output.endswith(": ok, 4 events\n"), output)
        self.change("UPDATE event SET payload = '{\"id\":\"e4\",\"action\":\"pull\"}' WHERE seq = 4;"
                    "DELETE FROM event WHERE seq = 5")
        code, output, _ = self.store("check")
        self.assertEqual(code, 1)
        self.assertEqual(output.splitlines(), ["damaged events: 1, the first is seq 4",
                                               "missing events: 1, the first is seq 5"])
        code, output, _ = self.store("check", "--json")
        self.assertEqual((code, json.loads(output)["ok"]), (1, False))
        self.assertEqual(len(json.loads(output)["problems"]), 2)

    def test_purge_only_when_one_is_sure(self):
        code, output, errors = self.store("purge", "--endpoint", "audit")
        self.assertEqual((code, output), (2, ""))
        self.assertIn("3 events", errors)
        self.assertIn("--yes", errors)
        self.assertEqual(self.info()["endpoints"][0]["pending_events"], 3)

    def test_purge(self):
        self.assertEqual(self.store("purge", "--endpoint", "audit", "--yes"),
                         (0, "purged 3 events\n", ""))
        info = self.info()
        self.assertEqual(info["events"], 1)
        self.assertEqual([endpoint["pending_events"] for endpoint in info["endpoints"]], [0, 1])
        code, output, _ = self.store("purge", "--endpoint", "gone", "--yes", "--json")
        self.assertEqual((code, json.loads(output)), (0, {"purged": 1}))

    def test_purge_of_an_endpoint_that_is_not_there(self):
        code, output, errors = self.store("purge", "--endpoint", "other", "--yes")
        self.assertEqual((code, output, errors),
                         (1, "", 'fanfare: error: no endpoint "other"\n'))

    def test_refused_while_a_daemon_uses_it(self):
        with open(self.folder / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["info"], ["check"], ["purge", "--endpoint", "audit", "--yes"]):
                code, output, errors = self.store(*command)
                self.assertEqual((code, output), (1, ""))
                self.assertEqual(errors, f"fanfare: error: {self.folder} is in use by another "
                                         "process\n")
        self.assertEqual(self.info()["events"], 4)

    def test_nothing_is_made_where_there_is_no_store(self):
        empty = self.directory / "empty"
        code, output, errors = self.run_fanfare("store", "info", "--dir", empty)
        self.assertEqual((code, output, errors),
                         (1, "", f"fanfare: error: there is no store in {empty}\n"))
        self.assertFalse(empty.exists())

    def test_a_damaged_store_is_left_as_it_is(self):
        file = self.folder / "events.db"
        file.write_bytes(b"x" * 50_000)
        code, _, errors = self.store("info")
        self.assertEqual(code, 1)
        self.assertIn(str(file), errors)
        self.assertEqual(file.read_bytes(), b"x" * 50_000)
        self.assertFalse((self.folder / "events.db.damaged").exists())
