"""Charges on disk: when each was written, how long after its service, and what billing said of it."""

from collections.abc import Iterable
from hashlib import sha256

from models.billing import BillingEvent
from models.reconciliation import Lag
from streams.scratch import Scratch


class Lags(Scratch):
    """What is known of the charges that were written and of those that stand; memory does not grow with them.

    No patient is on disk.
    """

    SCHEMA = (
        "TABLE written (id TEXT PRIMARY KEY, at INTEGER, lag INTEGER)",
        "TABLE standing (day BLOB, id TEXT, acknowledged TEXT)",
        "INDEX by_day ON standing (day)",
    )

    def written(self, charge: BillingEvent, at: int) -> None:
        """A charge, and the timestamp of its record in milliseconds since the epoch.

        The lag is that of the first charge of a unit: one that follows a correction says nothing of how long
        the service waited. A charge that does not say when it was performed has none.
        """
        ended = charge.performed_end or charge.performed_start
        known = ended is not None and ended.tzinfo is not None and charge.sequence == 1
        lag = at - round(ended.timestamp() * 1000) if ended and known else None
        self._db.execute("INSERT OR IGNORE INTO written VALUES (?, ?, ?)", (charge.id, at, lag))

    def stand(self, day: bytes, charges: Iterable[tuple[str, str | None]]) -> None:
        """The charges that stand on a patient-day, each with the highest of what billing said of it.

        ``day``: its key in the changelog. What was told of the same day before no longer holds.
        """
        name = sha256(day).digest()
        self._db.execute("DELETE FROM standing WHERE day = ?", (name,))
        self._db.executemany("INSERT INTO standing VALUES (?, ?, ?)", [(name, *each) for each in charges])

    def standing(self) -> dict[str | None, int]:
        """How many charges stand, by the highest of what billing said of each; None: nothing."""
        return dict(self._db.execute("SELECT acknowledged, count(*) FROM standing GROUP BY acknowledged"))

    def lag(self) -> Lag:
        """Exact, by nearest rank: half and 95 of 100 charges were written within it."""
        [(count,)] = self._db.execute("SELECT count(lag) FROM written")
        return Lag(count, self._rank(count, 50), self._rank(count, 95))

    def unacknowledged(self, before: int, most: int) -> tuple[int, tuple[str, ...]]:
        """How many standing charges written before ``before`` billing said nothing of; the ``most`` oldest.

        ``before``: milliseconds since the epoch.
        """
        found = "FROM standing JOIN written USING (id) WHERE acknowledged IS NULL AND at < ? ORDER BY at, id"
        [(count,)] = self._db.execute(f"SELECT count(*) {found}", (before,))
        oldest = self._db.execute(f"SELECT id {found} LIMIT ?", (before, most))
        return count, tuple(name for (name,) in oldest)

    def _rank(self, count: int, percent: int) -> float | None:
        if not count:
            return None
        place = -(-count * percent // 100) - 1
        [(lag,)] = self._db.execute(
            "SELECT lag FROM written WHERE lag IS NOT NULL ORDER BY lag LIMIT 1 OFFSET ?", (place,)
        )
        return float(lag) / 1000
