"""Records spilled to disk and handed back by patient, so that memory does not grow with the topics."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self

CACHE_KIB = 32 * 1024


class Spilled(NamedTuple):
    """One record of a group: which of the caller's kinds it is, and its value."""

    kind: int
    value: bytes


class Spill:
    """A sorter on disk: put records in any order of groups, get each group once, in the order put.

    A context manager; the file is in a folder of its own that only this user can read, and gone
    afterwards.
    """

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="perdiem-audit-")
        self._db = sqlite3.connect(f"{self.folder}/spill.sqlite3", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute("CREATE TABLE record (n INTEGER PRIMARY KEY, grp BLOB, kind INTEGER, value BLOB)")
        self._db.execute("CREATE TABLE latest (key BLOB PRIMARY KEY, grp BLOB, kind INTEGER, value BLOB)")
        self._db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    @property
    def folder(self) -> str:
        return self._folder.name

    def put(self, kind: int, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Records of one kind: group and value."""
        self._db.executemany(
            "INSERT INTO record (grp, kind, value) VALUES (?, ?, ?)",
            ((group, kind, value) for group, value in records),
        )

    def put_latest(self, kind: int, key: bytes, group: bytes, value: bytes | None) -> None:
        """A record of which only the latest value of its key is kept; None deletes."""
        if value is None:
            self._db.execute("DELETE FROM latest WHERE key = ?", (key,))
        else:
            self._db.execute("REPLACE INTO latest VALUES (?, ?, ?, ?)", (key, group, kind, value))

    def groups(self) -> Iterator[tuple[bytes, Iterator[Spilled]]]:
        """Every group once, with its name; read each before the next is taken."""
        rows = self._db.execute(
            "SELECT grp, kind, value, n FROM record UNION ALL SELECT grp, kind, value, 0 FROM latest "
            "ORDER BY grp, n"
        )
        for name, group in groupby(rows, key=itemgetter(0)):
            yield name, (Spilled(kind, value) for _, kind, value, _ in group)
