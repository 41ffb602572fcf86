"""The latest days are found whole, however little each worker reads at a time."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.reconciliation import Line, add
from models.tally import IN, Bucket, Counts
from streams.once.store import Store
from streams.once.table import Slice, Table
from streams.tallies import TALLIES
from streams.views import tallied as module
from streams.views.tallied import Backwards, Tallied
from streams.views.workers import Answers, Missing

FIRST = date(2025, 1, 1)
DATES = [FIRST + timedelta(number) for number in range(40) if number % 3]
FACILITIES = ("lakeside", "bayview", None)
Counted = list[tuple[Bucket, Counts]]


class Parts:
    """Workers, each with a store of its own and some of what was counted in it."""

    def __init__(self, folder: Path) -> None:
        self.table = Table("ledger_tallies", TALLIES, lambda table: ())
        self.tallied = Tallied([cast(Any, SimpleNamespace(table=self.table, by_day=self.table))])
        self.stores = [Store(folder / str(number), "cluster", "log", number) for number in range(3)]
        self.asked = 0
        self.counted: Counted = []
        order = Random(7)
        for store in self.stores:
            for day in [None, *DATES]:
                for facility in order.sample(FACILITIES, order.randint(0, 3)):
                    self._count(store, Bucket(day, facility, "lab"), {IN: order.randint(1, 9)})

    def _count(self, store: Store, bucket: Bucket, counts: Counts) -> None:
        self.counted.append((bucket, counts))
        store.apply([(self.table.prefix + TALLIES.encode_key(bucket), TALLIES.encode(counts))])

    async def ask(self, question: Any, asked: Backwards) -> Answers[Any]:
        self.asked += 1
        owners = [SimpleNamespace(slices={self.table: Slice(self.table, store)}) for store in self.stores]
        return Answers(
            [await question.local(owners[:1], asked), await question.local(owners[1:], asked)],
            [Missing("log", 3, "no worker owns it")],
        )

    def expected(self, asked: Backwards, most: int) -> dict[date, dict[Bucket, Line]]:
        first, last = asked.first or date.min, asked.last or date.max
        found: dict[date, dict[Bucket, list[Counts]]] = {}
        for bucket, counts in self.counted:
            day = bucket.service_date
            if day and first <= day <= last and asked.facility in (None, bucket.facility):
                found.setdefault(day, {}).setdefault(bucket, []).append(counts)
        latest: Sequence[date] = sorted(found, reverse=True)[:most]
        return {day: {name: Line(add(each)) for name, each in found[day].items()} for day in latest}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    made = Parts(tmp_path_factory.mktemp("stores"))
    yield made
    for store in made.stores:
        store.close()


@pytest.mark.parametrize("enough", [1, 7, 10_000])
@pytest.mark.parametrize("most", [1, 5, 100])
@pytest.mark.parametrize(
    "asked",
    [
        Backwards(),
        Backwards(facility="bayview"),
        Backwards(FIRST + timedelta(10), FIRST + timedelta(20)),
        Backwards(None, FIRST - timedelta(1)),
    ],
)
async def test_the_latest_days_are_the_sums_of_all_parts(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, enough: int, most: int, asked: Backwards
) -> None:
    """Of one facility or all, between dates or not; nothing of a day is told before all of it is."""
    monkeypatch.setattr(module, "_ENOUGH", enough)
    found = await parts.tallied.latest(cast(Any, parts), asked, most)
    expected = parts.expected(asked, most)
    assert found.days == expected
    assert [*found.days] == sorted(expected, reverse=True)
    assert found.missing == [Missing("log", 3, "no worker owns it")]
    if len(parts.expected(asked, most + 1)) > most:
        assert found.down_to == min(found.days)


async def test_a_facility_of_which_nothing_is_known_is_not_looked_for_for_ever(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says how far back it looked, and one may look on from there."""
    monkeypatch.setattr(module, "_ENOUGH", 1)
    monkeypatch.setattr(module, "_ROUNDS", 3)
    asked, before = Backwards(facility="nowhere"), parts.asked
    found = await parts.tallied.latest(cast(Any, parts), asked, 31)
    assert (found.days, parts.asked - before) == ({}, 3)
    assert found.down_to in DATES[-5:]
