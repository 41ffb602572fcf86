"""Records spilled to disk and handed back in connected groups: memory does not grow with the topics."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from streams.scratch import Scratch

NOWHERE = -1


class Spilled(NamedTuple):
    """One record: which of the caller's kinds it is, its value, its group, and the partition it lies in."""

    kind: int
    value: bytes
    group: bytes
    partition: int


class Tie(NamedTuple):
    """A name that ties together all groups that bear it."""

    group: bytes
    name: str


class Spill(Scratch):
    """A sorter on disk: put records in any order of groups, get them in the order put, a group whole, and
    groups that are tied together as one."""

    SCHEMA = (
        "TABLE record (n INTEGER PRIMARY KEY, grp BLOB, kind INTEGER, part INTEGER, value BLOB)",
        "TABLE latest (key BLOB PRIMARY KEY, grp BLOB, kind INTEGER, part INTEGER, value BLOB)",
        "TABLE tie (name INTEGER, grp BLOB)",
        "TABLE tied (grp BLOB PRIMARY KEY, root BLOB) WITHOUT ROWID",
    )

    def put(self, kind: int, records: Iterable[tuple[bytes, bytes]], partition: int = NOWHERE) -> None:
        """Records of one kind: group and value."""
        self._db.executemany(
            "INSERT INTO record (grp, kind, part, value) VALUES (?, ?, ?, ?)",
            ((group, kind, partition, value) for group, value in records),
        )

    def put_latest(
        self, kind: int, key: bytes, group: bytes, value: bytes | None, partition: int = NOWHERE
    ) -> None:
        """A record of which only the latest value of its key is kept; None deletes."""
        if value is None:
            self._db.execute("DELETE FROM latest WHERE key = ?", (key,))
        else:
            row = (key, group, kind, partition, value)
            self._db.execute("REPLACE INTO latest VALUES (?, ?, ?, ?, ?)", row)

    def tie(self, ties: Iterable[Tie]) -> None:
        """Groups that bear the same name are one. Names are kept as numbers: two that happen to share one
        tie groups that need not be tied, which does no harm."""
        self._db.executemany(
            "INSERT INTO tie VALUES (?, ?)", ((_number(name), group) for group, name in ties)
        )

    def groups(self) -> Iterator[Iterator[Spilled]]:
        """Every group once, those that are tied together as one; read each before the next is taken."""
        self._join()
        rows = self._db.execute(
            "SELECT IFNULL(root, grp), kind, value, grp, part, n FROM"
            " (SELECT grp, kind, value, part, n FROM record"
            " UNION ALL SELECT grp, kind, value, part, 0 FROM latest)"
            " LEFT JOIN tied USING (grp) ORDER BY 1, 4, 6"
        )
        for _, group in groupby(rows, key=itemgetter(0)):
            yield (Spilled(*row[1:5]) for row in group)

    def _join(self) -> None:
        """Find the root of every group that is tied to another, by what ties each to its neighbour."""
        pairs = self._db.execute(
            "SELECT DISTINCT tie.grp, least FROM tie JOIN"
            " (SELECT name, MIN(grp) AS least FROM tie GROUP BY name HAVING MIN(grp) <> MAX(grp))"
            " USING (name) WHERE tie.grp <> least"
        )
        for group, least in pairs:
            one, other = self._root(group), self._root(least)
            for tied in {group, least, one, other}:
                self._db.execute("REPLACE INTO tied VALUES (?, ?)", (tied, min(one, other)))
        nearer = (
            "UPDATE tied SET root = (SELECT up.root FROM tied AS up WHERE up.grp = tied.root)"
            " WHERE root <> (SELECT up.root FROM tied AS up WHERE up.grp = tied.root)"
        )
        while self._db.execute(nearer).rowcount:
            pass

    def _root(self, group: bytes) -> bytes:
        while True:
            row = self._db.execute("SELECT root FROM tied WHERE grp = ?", (group,)).fetchone()
            if row is None or row[0] == group:
                return group
            group = row[0]


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
