"""Tallies: what an agent counts of the events that it decides, in the transaction that decides them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from models.dates import day_of
from models.tally import Bucket, decode_bucket, decode_counts, encode_bucket, encode_counts
from streams.once import Codec, OnceApp, UnitOfWork

TALLIES: Codec[Bucket, Mapping[str, int]] = Codec(encode_bucket, decode_bucket, encode_counts, decode_counts)
BY_DAY: Codec[date, Mapping[str, int]] = Codec(
    lambda day: day.isoformat().encode(),
    lambda key: date.fromisoformat(key.decode()),
    encode_counts,
    decode_counts,
)
_TALLIED = "tallied "
"""Begins the names in a unit's counts of what was added to a tally."""
_MARKS: Codec[str, int] = Codec(
    str.encode, bytes.decode, msgspec.json.Encoder().encode, msgspec.json.Decoder(int).decode
)


class Tallies:
    """The tallies of ``agent``: tables ``{agent}_tallies``, by bucket, and ``{agent}_by_day``, by the day
    (UTC) on which the records came that were counted; of its sources ``{agent}_counted``.
    """

    def __init__(self, app: OnceApp, agent: str) -> None:
        self.table = app.once_table(f"{agent}_tallies", TALLIES)
        self.by_day = app.once_table(f"{agent}_by_day", BY_DAY)
        self._counted = app.once_table(f"{agent}_counted", _MARKS)
        self._added: dict[Bucket, Counter[str]] = defaultdict(Counter)
        self._ends: dict[str, int] = {}

    @property
    def tables(self) -> list[Any]:
        """To be named among the agent's."""
        return [self.table, self.by_day, self._counted]

    def first_time(self, record: Any) -> bool:
        """Whether this source record was never counted: offsets may be reset, and it is read again."""
        name = f"{record.topic}[{record.partition}]"
        if record.offset < self._ends.get(name, self._counted.get(name, 0)):
            return False
        self._ends[name] = record.offset + 1
        return True

    def add(self, bucket: Bucket, what: str, count: int = 1) -> None:
        self._added[bucket][what] += count

    def write(self, unit: UnitOfWork) -> None:
        """Add what was counted of the unit's records to the tables. Call it before ``fill`` returns."""
        if self._added:
            came = Counter[str]()
            for bucket, counts in self._added.items():
                self.table[bucket] = _more(self.table.get(bucket, {}), counts)
                came.update(counts)
            # Of a record whose time is none, it is that of this machine.
            day = day_of(unit.records[-1].timestamp, UTC) or datetime.now(UTC).date()
            self.by_day[day] = _more(self.by_day.get(day, {}), came)
            unit.counts.update({_TALLIED + what: count for what, count in came.items()})
        for name, end in self._ends.items():
            self._counted[name] = end
        self._added.clear()
        self._ends.clear()


def counted(unit: UnitOfWork) -> dict[str, int]:
    """What ``unit`` added to the tallies, all buckets together; less than nothing, too."""
    skip = len(_TALLIED)
    return {what[skip:]: count for what, count in unit.counts.items() if what.startswith(_TALLIED)}


def _more(before: Mapping[str, int], counts: Mapping[str, int]) -> Mapping[str, int]:
    total = Counter(before)
    total.update(counts)
    return {what: total[what] for what in sorted(total) if total[what]}
