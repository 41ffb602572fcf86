"""Scratch: a database on disk for what memory must not grow with; it is gone afterwards."""

import sqlite3
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import ClassVar, Self

CACHE_KIB = 32 * 1024


class Scratch:
    """A context manager; the file is in a folder of its own that only this user can read."""

    SCHEMA: ClassVar[tuple[str, ...]]
    """What is created: tables and indexes."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="perdiem-")
        self._db = sqlite3.connect(f"{self.folder}/scratch.sqlite3", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._db.execute(f"PRAGMA {setting}")
        for each in self.SCHEMA:
            self._db.execute(f"CREATE {each}")
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
