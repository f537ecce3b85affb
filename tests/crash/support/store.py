"""A store as it lies on the disk, looked at without the daemon."""

import contextlib
import pathlib
import sqlite3


def pending(folder):
    """{endpoint: {payload}} of a store that nobody has open, or None if there is none yet. SQLite
    recovers it as it does for the daemon. Raises sqlite3.DatabaseError for a damaged one."""
    file = folder / "events.db"
    if not file.exists():
        return None
    with contextlib.closing(sqlite3.connect(file)) as database:
        [[verdict]] = database.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        payloads = dict(database.execute("SELECT seq, payload FROM event"))
        result = {name: set() for [name] in database.execute("SELECT name FROM endpoint")}
        runs = database.execute("SELECT name, first, last FROM pending JOIN endpoint "
                                "ON endpoint.id = pending.endpoint")
        for name, first, last in runs:
            result[name].update(bytes(payloads[seq]) for seq in range(first, last + 1))
    return result


def log_bytes(folder):
    """How much of it is in the write-ahead log."""
    file = folder / "events.db-wal"
    return file.stat().st_size if file.exists() else 0


def resident_mib(daemon):
    """The memory that a daemon has right now."""
    pages = int(pathlib.Path(f"/proc/{daemon.pid}/statm").read_text().split()[1])
    return pages * 4096 >> 20
