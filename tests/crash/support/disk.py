"""The folder of a store, on a disk that does what it is told: the other side of disk_shim.cc."""

import dataclasses
import errno
import mmap
import os
import pathlib
import struct

_WORDS = ("fail_at", "fail_count", "fail_calls", "fail_error", "fail_pause_us", "quota_bytes",
          "sync_pause_us", "lose_syncs", "counted", "failed", "failed_at_ns", "refused", "writes",
          "syncs", "position")
_RECORD = struct.Struct("<IIQQQQ")

LOG_WRITES, LOG_SYNCS, TRUNCATIONS, FILE_WRITES, FILE_SYNCS = 1, 2, 4, 8, 16
WRITES, SYNCS = LOG_WRITES | FILE_WRITES, LOG_SYNCS | FILE_SYNCS
SHORT, KILL = 0, (1 << 64) - 1
EIO, ENOSPC = errno.EIO, errno.ENOSPC


class Disk:
    """Give `env` to the daemon whose store lies in `dir`. The words of the shim's control are
    attributes, read and set at any time, also when nothing runs."""

    def __init__(self, directory, name="store"):
        directory = pathlib.Path(directory).resolve()
        self.dir = directory / name
        self.dir.mkdir(mode=0o700)
        self._record = directory / f"{name}.record"
        control = directory / f"{name}.control"
        control.write_bytes(bytes(8 * len(_WORDS)))
        with control.open("r+b") as file:
            self._words = mmap.mmap(file.fileno(), 8 * len(_WORDS))
        shim = os.environ.get("FANFARE_DISK_SHIM")
        if not shim:
            raise AssertionError("FANFARE_DISK_SHIM is not set: it names the built disk_shim.cc")
        self.env = {"LD_PRELOAD": shim, "FANFARE_DISK_DIR": str(self.dir),
                    "FANFARE_DISK_CONTROL": str(control)}

    def close(self):
        self._words.close()

    def __getattr__(self, word):
        if word not in _WORDS:
            raise AttributeError(word)
        return struct.unpack_from("<Q", self._words, 8 * _WORDS.index(word))[0]

    def __setattr__(self, word, value):
        if word in _WORDS:
            struct.pack_into("<Q", self._words, 8 * _WORDS.index(word), value)
        else:
            super().__setattr__(word, value)

    def fail(self, at, calls, error, count=1, pause=0.0):
        """Of the calls that come from now on, the one with this number, and those behind it up to
        `count`, fails with `error`, after `pause` seconds. SHORT: half of a write is done; KILL:
        the process ends."""
        self.fail_at = 0
        self.counted = self.failed = self.failed_at_ns = 0
        self.fail_calls, self.fail_error, self.fail_count = calls, error, count
        self.fail_pause_us = int(pause * 1e6)
        self.fail_at = at

    def heal(self):
        self.fail_at = self.quota_bytes = self.sync_pause_us = 0

    def used_bytes(self):
        return sum(file.stat().st_size for file in self.dir.rglob("*") if file.is_file())

    def record(self):
        """From now on what is done is written down, for recorded()."""
        self.env["FANFARE_DISK_RECORD"] = str(self._record)

    def recorded(self):
        return list(read_records(self._record))


@dataclasses.dataclass
class Record:
    """`position`, of a sync: how many records there were when it began. `data`, of a truncation,
    is empty, and `position` its size; of a write, where it begins."""
    kind: str
    at: float  # of time.monotonic()
    inode: int
    position: int
    names: tuple
    data: bytes


_KINDS = (None, "write", "truncate", "sync", "create", "erase", "rename", "sync_dir")


def read_records(file):
    data = file.read_bytes()
    at = 0
    while at + _RECORD.size <= len(data):
        kind, name_bytes, time_ns, inode, position, data_bytes = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        names = tuple(data[at:at + name_bytes].decode().split("\0"))
        at += name_bytes
        yield Record(_KINDS[kind], time_ns / 1e9, inode, position, names,
                     data[at:at + data_bytes])
        at += data_bytes
