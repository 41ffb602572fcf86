"""Tallied: what all agents counted, asked of all workers: by bucket, or by the day on which it came."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from models.reconciliation import add
from models.tally import Bucket
from streams.once.owner import Owner
from streams.once.table import Table
from streams.tallies import Tallies
from streams.views.workers import Question, Workers, slices

AGENTS = ("intake", "ledger", "holds")
Counts = dict[str, int]


class Days(msgspec.Struct, frozen=True):
    """From the first day to the last; without days: what has none."""

    first: date | None = None
    last: date | None = None


class Tallied:
    """Both questions. The tables of every agent have the same shape."""

    def __init__(self, tallies: Sequence[Tallies]) -> None:
        self._buckets = [each.table for each in tallies]
        self._days = [each.by_day for each in tallies]
        self.by_bucket: Question[Days, list[tuple[Bucket, Counts]]] = Question(
            "tallies", Days, list[tuple[Bucket, Counts]], AGENTS, self._by_bucket
        )
        self.by_day: Question[Days, dict[date, Counts]] = Question(
            "tallies-by-day", Days, dict[date, Counts], AGENTS, self._by_day
        )

    def add_to(self, workers: Workers) -> None:
        workers.add(self.by_bucket)
        workers.add(self.by_day)

    async def _by_bucket(self, owners: Sequence[Owner], days: Days) -> list[tuple[Bucket, Counts]]:
        return [*_summed(owners, self._buckets, days, "\x1f").items()]

    async def _by_day(self, owners: Sequence[Owner], days: Days) -> dict[date, Counts]:
        return _summed(owners, self._days, days, "")


def _summed(
    owners: Sequence[Owner], tables: Iterable[Table[Any, Mapping[str, int]]], days: Days, ends: str
) -> dict[Any, Counts]:
    first, last = (f"{day or ''}{ends}".encode() for day in (days.first, days.last))
    found: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    for table in tables:
        for part in slices(owners, table):
            for name, counts in part.items(first, last):
                found[name].update(counts)
    return {name: add([counts]) for name, counts in found.items()}
