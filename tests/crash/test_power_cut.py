"""What is left on the disk when the power goes, at any moment."""

import shutil
import sqlite3

from harness.wait import wait_until
from support.case import CrashCase, times
from support.images import Platter, write_image
from support.store import pending


class PowerCut(CrashCase):
    """A daemon runs under load while all that it tells the disk is written down. From that record
    images are made: of all that no sync covers, some is lost, some torn, some reordered."""

    def setUp(self):
        super().setUp()
        self.disk.record()
        self.target("live", max_in_flight=4)
        self.target("dead", batch={"max_events": 100}).is_refusing = True

    def run_under_load(self, seconds):
        """Leaves the record, and the times of all promises."""
        daemon = self.start()
        senders = self.senders(daemon, count=4, rate=350)
        begun = daemon.started_at
        wait_until(lambda: senders.answered(202, begun + seconds), seconds + 20)
        senders.close()
        self.kill(daemon)
        self.numbers = {self.ledger.payload(n): n for n in range(self.ledger.sent)}
        records = self.disk.recorded()
        checkpoints = sum(record.kind == "sync" for record in records)
        print(f"{len(records)} records, {checkpoints} syncs, {len(self.ledger.promised)} events")
        return records

    def images(self, records, count):
        """(number, when the power went, image), so many of them."""
        platter = Platter()
        cuts = sorted(self.random.choices(range(len(records)), k=count))
        followed = 0
        for number, cut in enumerate(cuts):
            while followed <= cut:
                platter.follow(followed, records[followed])
                followed += 1
            yield number, records[cut].at, platter.cut(self.random)

    def loss(self, image, moment):
        """What is wrong with an image; None if nothing is."""
        folder = self.directory / "image"
        write_image(image, folder)
        try:
            found = pending(folder) or {}
        except (sqlite3.DatabaseError, KeyError) as error:
            return f"cannot be read: {error!r}"
        finally:
            shutil.rmtree(folder)
        for name in self.targets:
            owed = self.ledger.owed(name, moment)
            lost = owed - {self.numbers.get(payload) for payload in found.get(name, ())}
            if lost:
                return f"{len(lost)} of {len(owed)} events are lost for {name}"
        unknown = set().union(*found.values()) - self.numbers.keys()
        return f"{len(unknown)} events were never sent" if unknown else None

    def test_loses_nothing(self):
        records = self.run_under_load(times(3, 12))
        daemons = times(8, 100)
        count = times(100, 1000)
        chosen = set(self.random.sample(range(count), daemons))
        losses = {}
        for number, moment, image in self.images(records, count):
            found = self.loss(image, moment)
            if found:
                losses[number] = found
            if number in chosen:
                self.start_from(image, moment)
        self.assertEqual(losses, {})

    def start_from(self, image, moment):
        """The executable itself goes on from an image, and delivers all that it owes."""
        whole, self.ledger = self.ledger, self.ledger.fork(())
        for name, target in self.targets.items():
            target.ledger, target.is_refusing = self.ledger, False
            for number in whole.owed(name, moment):
                self.ledger.promise([number])
        shutil.rmtree(self.disk.dir)
        write_image(image, self.disk.dir)
        self.has_shim = False
        daemon = self.start(queue={"recovery": "strict"})
        self.wait_empty(daemon)
        for name in self.targets:
            lost = whole.owed(name, moment) - self.ledger.received(name)
            self.assertEqual(lost, set(), f"lost for {name}")
        self.assertEqual(self.ledger.wrong, [])
        self.stop(daemon)
        self.ledger = whole
        for target in self.targets.values():
            target.ledger = whole

    def test_would_lose_something_if_commits_were_not_synced(self):
        """The test of the test: with syncs of the log left out, the same images show losses."""
        self.disk.lose_syncs = 1
        records = self.run_under_load(times(2, 6))
        losses = [self.loss(image, moment)
                  for _, moment, image in self.images(records, times(40, 300))]
        self.assertGreater(len([found for found in losses if found]), len(losses) // 10)
