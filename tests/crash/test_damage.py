"""Bits that flip while nobody looks, files that are cut, and stores that must not be touched."""

import hashlib
import pathlib
import shutil
import sqlite3

from harness.wait import wait_until
from support.case import CrashCase, times
from support.store import log_bytes

PAGE = 4096
FLIPS = times(5, 50)


class Bits(CrashCase):
    def setUp(self):
        super().setUp()
        self.only = self.target("only")
        self.file = self.disk.dir / "events.db"

    def stopped_with(self, count):
        """Events that wait in the file; nobody has it open."""
        self.only.is_refusing = True
        daemon = self.start()
        numbers = [number for _ in range(count) for number in self.post(daemon)]
        self.stop(daemon)
        self.assertEqual(log_bytes(self.disk.dir), 0)
        return numbers

    def flip(self, *places):
        bit = 1 << self.random.randrange(8)
        data = bytearray(self.file.read_bytes())
        for at in places:
            data[at] ^= bit
            print(f"flipped {bit:#04x} at {at} (page {at // PAGE + 1}, byte {at % PAGE})")
        self.file.write_bytes(data)

    def places_of(self, number):
        """Where an event begins in the file: once, and where SQLite has had it before. Its text may
        go on elsewhere, its first 60 bytes do not."""
        payload = self.ledger.payload(number)[:60]
        data = self.file.read_bytes()
        places = [data.index(payload)]
        while (at := data.find(payload, places[-1] + 1)) >= 0:
            places.append(at)
        return places

    def deliver(self):
        """The daemons, of which the last has delivered what can be. One that meets the damage in a
        commit ends, and the next one looks at the file more closely."""
        self.only.is_refusing = False
        daemons = []
        while len(daemons) < 3:
            daemon = self.start()
            daemons.append(daemon)
            wait_until(lambda d=daemon: d.exit_code is not None or is_empty(d), 20)
            if daemon.exit_code is None:
                return daemons
            daemon.expected_exit = None
            self.assertEqual(daemon.wait(), 1)
        self.fail(f"does not start:\n{daemons[-1].text()}")

    def forget(self, numbers):
        """Begins with a new store: these are lost by design."""
        for number in numbers:
            del self.ledger.promised[number]
        shutil.rmtree(self.disk.dir)
        self.disk.dir.mkdir(mode=0o700)

    def test_event_with_a_flipped_bit_is_not_sent_and_the_others_are(self):
        for _ in range(FLIPS):
            numbers = self.stopped_with(20)
            victim = self.random.choice(numbers)
            byte = self.random.randrange(60)
            self.flip(*(at + byte for at in self.places_of(victim)))

            [daemon] = self.deliver()

            self.assertEqual(set(numbers) - self.ledger.received("only"), {victim})
            corrupt = daemon.metrics().get("fanfare_endpoint_dead_letters_total", endpoint="only",
                                           reason="corrupt")
            self.assertEqual(corrupt, 1)
            self.assertEqual(self.ledger.wrong, [])
            self.assert_conserved(daemon)
            self.stop(daemon)
            self.forget([victim])
        self.settle(self.start())

    def test_bit_anywhere_in_a_page_of_events_never_makes_a_wrong_one(self):
        for _ in range(FLIPS):
            numbers = self.stopped_with(20)
            place = self.random.choice(self.places_of(self.random.choice(numbers)))
            self.flip(place // PAGE * PAGE + self.random.randrange(PAGE))

            daemons = self.deliver()

            lost = set(numbers) - self.ledger.received("only")
            told = sum(lost_by(daemon) for daemon in daemons)
            self.assertEqual(self.ledger.wrong, [])
            self.assertLessEqual(len(lost), told, daemons[-1].text()[-3000:])
            if len(daemons) == 1:
                self.assertEqual(len(lost), told)
            self.kill(daemons[-1])
            self.forget(lost)
        self.settle(self.start())


def is_empty(daemon):
    """Whether nothing waits, as far as it can still be asked."""
    try:
        return daemon.pending("only") == 0
    except (AssertionError, OSError):
        return False


def lost_by(daemon):
    """How many events its log says that it has lost."""
    damaged = sum(entry["events"] for entry in daemon.log_entries(level="error")
                  if entry["msg"] == "stored events are damaged and were not sent")
    return damaged + sum(entry.get("lost_events", 0) for entry in daemon.log())


class Files(CrashCase):
    """The database as a whole."""

    def setUp(self):
        super().setUp()
        self.only = self.target("only")
        self.file = self.disk.dir / "events.db"
        self.only.is_refusing = True
        daemon = self.start()
        for _ in range(50):
            self.post(daemon, 5)
        self.stop(daemon)
        self.only.is_refusing = False

    def damages(self):
        data = self.file.read_bytes()
        yield "empty", b""
        yield "cut within its first page", data[:self.random.randrange(1, 512)]
        yield "cut", data[:self.random.randrange(PAGE, len(data) - PAGE)]
        yield "zeroed", bytes(len(data))
        yield "noise", self.random.randbytes(len(data))

    def test_damaged_file_is_moved_aside(self):
        for what, data in list(self.damages()):
            with self.subTest(what):
                for file in self.disk.dir.iterdir():
                    file.unlink() if file.is_file() else None
                self.file.write_bytes(data)
                daemon = self.start()
                self.wait_empty(daemon)
                self.assertTrue(daemon.log_entries(level="error"), daemon.text())
                aside = pathlib.Path(f"{self.file}.damaged")
                self.assertTrue(aside.exists() or what == "cut")
                self.ledger.promised.clear()
                self.settle(daemon)
                self.stop(daemon)

    def test_damaged_file_is_refused_and_not_touched_if_that_is_asked_for(self):
        for what, data in list(self.damages()):
            with self.subTest(what):
                self.file.write_bytes(data)
                text = self.refused(queue={"recovery": "strict"})
                self.assertIn("events.db", text)
                self.assertEqual(self.file.read_bytes(), data)


class Refused(CrashCase):
    def test_second_process_is_refused_and_the_first_goes_on(self):
        self.target("only")
        first = self.start()
        self.post(first, 3)

        begun = hashlib.sha256((self.disk.dir / "events.db").read_bytes())
        self.assertIn("in use", self.refused())

        self.assertEqual(begun.digest(),
                         hashlib.sha256((self.disk.dir / "events.db").read_bytes()).digest())
        self.settle(first)

    def test_newer_schema_is_refused_and_not_touched(self):
        self.target("only").is_refusing = True
        daemon = self.start()
        self.post(daemon, 3)
        self.stop(daemon)
        file = self.disk.dir / "events.db"
        with sqlite3.connect(file) as database:
            [[version]] = database.execute("PRAGMA user_version").fetchall()
            database.execute("PRAGMA user_version = 99")
        database.close()
        before = {path: path.read_bytes() for path in self.disk.dir.glob("events.db*")
                  if path.stat().st_size > 0}

        self.assertIn("newer", self.refused())

        for path, data in before.items():
            self.assertEqual(path.read_bytes(), data, path)
        with sqlite3.connect(file) as database:
            database.execute(f"PRAGMA user_version = {version}")
        database.close()
        self.targets["only"].is_refusing = False
        self.settle(self.start())
