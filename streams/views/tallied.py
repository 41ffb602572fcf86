"""Tallied: what all agents counted, asked of all workers: by bucket, or by the day on which it came."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from heapq import merge
from itertools import groupby
from typing import Any

import msgspec
from msgspec.structs import replace

from models.reconciliation import Line, add, in_order, reconcile
from models.tally import Bucket
from streams.once.owner import Owner
from streams.once.table import Table
from streams.tallies import Tallies
from streams.views.workers import Missing, Question, Workers, slices

AGENTS = ("intake", "ledger", "holds")
Counts = dict[str, int]
_ENOUGH = 500
"""Rows that a worker reads in one go: some milliseconds."""
_ROUNDS = 200
_DAY = timedelta(1)


class Days(msgspec.Struct, frozen=True):
    """From the first day to the last; without days: what has none."""

    first: date | None = None
    last: date | None = None


class Backwards(msgspec.Struct, frozen=True):
    """From the last service date back to the first: of one facility, or of all."""

    first: date | None = None
    last: date | None = None
    facility: str | None = None


class Stretch(msgspec.Struct, frozen=True):
    """Some service dates, the latest first."""

    buckets: list[tuple[Bucket, Counts]]
    down_to: date | None
    """What is later is whole, and this date too; None: so is all that was asked for."""


class Latest(msgspec.Struct, frozen=True):
    """The latest service dates of which anything was counted."""

    days: dict[date, dict[Bucket, Line]]
    """The latest first."""
    down_to: date | None
    """What is before it was not looked at; None: nothing is."""
    missing: list[Missing]


class Tallied:
    """What can be asked. The tables of every agent have the same shape."""

    def __init__(self, tallies: Sequence[Tallies]) -> None:
        self._buckets = [each.table for each in tallies]
        self._days = [each.by_day for each in tallies]
        self.by_bucket: Question[Days, list[tuple[Bucket, Counts]]] = Question(
            "tallies", Days, list[tuple[Bucket, Counts]], AGENTS, self._by_bucket
        )
        self.by_day: Question[Days, dict[date, Counts]] = Question(
            "tallies-by-day", Days, dict[date, Counts], AGENTS, self._by_day
        )

        self.backwards: Question[Backwards, Stretch] = Question(
            "tallies-backwards", Backwards, Stretch, AGENTS, self._backwards
        )

    def add_to(self, workers: Workers) -> None:
        workers.add(self.backwards)
        workers.add(self.by_bucket)
        workers.add(self.by_day)

    async def latest(self, workers: Workers, asked: Backwards, most: int) -> Latest:
        """The latest ``most`` dates, or fewer: no worker works long at a time, nor all of them for ever."""
        days: dict[date, dict[Bucket, Line]] = {}
        missing: set[Missing] = set()
        for _ in range(_ROUNDS):
            answers = await workers.ask(self.backwards, asked)
            missing.update(answers.missing)
            ends = [each.down_to for each in answers.found if each.down_to]
            down_to = max(ends, default=None)
            found = reconcile(each.buckets for each in answers.found)
            for bucket in sorted(found, key=in_order, reverse=True):
                day = bucket.service_date
                if day is not None and (down_to is None or day >= down_to):
                    days.setdefault(day, {})[bucket] = found[bucket]
            if len(days) > most:
                days = dict([*days.items()][:most])
                down_to = min(days)
            if down_to in (None, date.min) or len(days) == most:
                break
            asked = replace(asked, last=down_to - _DAY)
        return Latest(days, down_to, sorted(missing))

    async def _backwards(self, owners: Sequence[Owner], asked: Backwards) -> Stretch:
        """In one go, while no partition leaves: so it ends with the day on which it has read enough."""
        found: defaultdict[Bucket, Counter[str]] = defaultdict(Counter)
        parts = [part for table in self._buckets for part in slices(owners, table)]
        each = (part.items_backwards(str(asked.last or "").encode()) for part in parts)
        read, first = 0, str(asked.first or "0")
        for day, rows in groupby(merge(*each, key=_day, reverse=True), _day):
            if day < first:
                break
            for bucket, counts in rows:
                read += 1
                if asked.facility in (None, bucket.facility):
                    found[bucket].update(counts)
            if read >= _ENOUGH:
                return Stretch([*found.items()], date.fromisoformat(day))
        return Stretch([*found.items()], None)

    async def _by_bucket(self, owners: Sequence[Owner], days: Days) -> list[tuple[Bucket, Counts]]:
        return [*_summed(owners, self._buckets, days, "\x1f").items()]

    async def _by_day(self, owners: Sequence[Owner], days: Days) -> dict[date, Counts]:
        return _summed(owners, self._days, days, "")


def _day(row: tuple[Bucket, Mapping[str, int]]) -> str:
    return str(row[0].service_date or "")


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
