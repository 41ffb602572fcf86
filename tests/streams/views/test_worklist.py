"""A list is found by looking at what is shown, however much was decided before; and others run meanwhile."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.commands import Reject
from models.selection import Selection
from models.worklist import Item, Kind, Listed, State
from streams.once.owner import Owner
from streams.settings import Settings
from streams.views import worklist
from streams.views.worklist import PAGE, Next, Worklist
from tests.streams.desk import Desk
from tests.streams.once.fakes import an_app, an_owner


class Asked:
    """The workers of which one owns all partitions."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        self._owners = owners

    def add(self, question: Any) -> None:
        """Whoever asks gives the question with it."""

    async def ask(self, question: Any, asked: Any, *, partitions: Any = None) -> Any:
        found = [await question.local([owner], asked) for owner in self._owners]
        return SimpleNamespace(found=found, missing=[])


class Shelf:
    """A worklist whose items are put straight into the state of two partitions."""

    def __init__(self, folder: Path) -> None:
        pair = Desk(folder)
        self._tables = (pair.holds.worklist, pair.holds.order)
        self.owners = [an_owner(an_app(folder / name), *self._tables) for name in ("one", "two")]
        workers = Asked(self.owners)
        site: Any = SimpleNamespace(settings=Settings.isolated(partitions=2), workers=workers)
        nobody: Any = None
        self.worklist = Worklist(site, pair.holds, nobody)

    def put(self, *items: Item, partition: int = 0) -> None:
        items_table, order = self._tables
        records: list[tuple[bytes, bytes | None]] = []
        for item in items:
            key = items_table.prefix + items_table.codec.encode_key(item.id)
            records.append((key, items_table.codec.encode(item)))
            records.append((order.prefix + order.codec.encode_key(item.listed), b"1"))
        self.owners[partition].store.apply(records)

    async def ids(self, after: Listed | None = None, **selection: Any) -> tuple[list[str], Listed | None]:
        asked = Next(Selection(**selection), selection.get("state", State.OPEN) is State.OPEN, after)
        found, reached, _ = await self.worklist.next("perdiem.held", asked)
        return [item.id for item in found], reached


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def an_item(number: int, **more: Any) -> Item:
    return Item(id=f"t:0:{number}:0", kind=Kind.HELD, since=number + 1, value=b"secret", **more)


async def test_pages_have_every_open_item_once_the_oldest_first(shelf: Shelf) -> None:
    """From all partitions; what was decided is on none of them."""
    for partition in range(2):
        shelf.put(*(an_item(number) for number in range(partition, 230, 2)), partition=partition)
        done = (an_item(number, state=State.REJECTED) for number in range(300 + partition, 360, 2))
        shelf.put(*done, partition=partition)
    seen: list[str] = []
    found, after = await shelf.ids()
    while True:
        assert len(found) <= PAGE
        seen += found
        if after is None:
            break
        found, after = await shelf.ids(after)
    assert seen == [f"t:0:{number}:0" for number in range(230)]
    found, _ = await shelf.ids(state=State.REJECTED)
    assert found == [f"t:0:{number}:0" for number in range(300, 350)]


async def test_a_rare_kind_is_looked_for_in_bounded_steps(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be empty with more behind it; nothing is left out, and nothing shown before its turn."""
    monkeypatch.setattr(worklist, "AT_MOST", 100)
    shelf.put(*(an_item(number, facility="a") for number in range(250)))
    shelf.put(an_item(249, facility="b"), partition=0)
    shelf.put(an_item(999, facility="b"), partition=1)
    first, after = await shelf.ids(facility="b")
    assert first == []
    second, after = await shelf.ids(after, facility="b")
    assert second == []
    third, after = await shelf.ids(after, facility="b")
    assert (third, after) == (["t:0:249:0", "t:0:999:0"], None)


async def test_times_bound_what_is_looked_through(shelf: Shelf) -> None:
    """From a moment on, and before another."""
    shelf.put(*(an_item(number) for number in range(10)))
    assert await shelf.ids(since=4, until=6) == (["t:0:3:0", "t:0:4:0"], None)


async def test_a_list_shows_nothing_of_what_a_source_sent(shelf: Shelf) -> None:
    """It does not even leave the worker that keeps it."""
    shelf.put(an_item(1))
    asked = Next(Selection(), True)
    [item], _, _ = await shelf.worklist.next("perdiem.held", asked)
    assert (item.value, item.key, item.headers) == (None, None, ())


async def test_a_partition_that_goes_away_meanwhile_ends_the_look(shelf: Shelf) -> None:
    """Its store is closed; where to look further is told."""
    shelf.put(*(an_item(number, facility="a") for number in range(100)))
    looking = asyncio.create_task(shelf.ids(facility="b"))
    await asyncio.sleep(0)
    for owner in shelf.owners:
        await owner.release()
    found, after = await looking
    assert found == []
    assert after is not None


async def test_a_partition_that_goes_away_meanwhile_foresees_nothing_more(shelf: Shelf) -> None:
    """Its store is closed: of the commands that are left nothing is said."""
    shelf.put(an_item(1), an_item(2))
    stamp = {"user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
    commands = [Reject.model_validate({"id": f"c{n}", "item": f"t:0:{n}:0", **stamp}) for n in (1, 2)]
    looking = asyncio.create_task(shelf.worklist.would("perdiem.held", commands))
    await asyncio.sleep(0)
    for owner in shelf.owners:
        await owner.release()
    would, _ = await looking
    assert [*would] == ["t:0:1:0"]
