"""What is read of the worklist is what was asked for, however much was ever on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from models.worklist import Item, Kind, State, pack_item
from streams import worklist
from streams.settings import Settings
from streams.worklist import ITEMS, every, held, named

OPEN = Item(id="a", kind=Kind.HELD, since=2, key=b"k", value=b"{}", headers=(("h", b"1"),))
OLDER = replace(OPEN, id="b", since=1)
DECIDED = replace(OPEN, state=State.RELEASED)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the changelog holds."""
    records: list[Any] = []

    class Reader:
        async def spans(self, _topic: str) -> None:
            return None

        async def read(self, _spans: None) -> AsyncIterator[list[Any]]:
            for record in records:
                yield [record]

    @asynccontextmanager
    async def reader(_settings: Settings) -> AsyncIterator[Reader]:
        yield Reader()

    monkeypatch.setattr(worklist, "reader", reader)
    return records


def put(item: Item, *, gone: bool = False) -> Any:
    return SimpleNamespace(key=ITEMS + item.id.encode(), value=None if gone else pack_item(item))


def is_open(item: Item) -> bool:
    return item.state is State.OPEN


async def test_what_the_source_sent_is_kept_only_of_what_is_shown_whole(log: list[Any]) -> None:
    """A list of a hundred thousand records needs no room for them."""
    log += [put(OPEN), put(OLDER)]
    found = await held(Settings.isolated(), every)
    assert [*found] == ["b", "a"]
    assert found["a"] == replace(OPEN, key=None, value=None, headers=())
    assert await held(Settings.isolated(), named("a"), whole=True) == {"a": OPEN}


async def test_what_was_decided_meanwhile_is_not_among_what_is_open(log: list[Any]) -> None:
    """The last of an item holds; one that is opened again is there again."""
    log += [put(OPEN), put(OLDER), put(DECIDED)]
    assert [*await held(Settings.isolated(), is_open)] == ["b"]
    log += [put(OPEN), put(OLDER, gone=True), SimpleNamespace(key=b"position", value=b"{}")]
    assert [*await held(Settings.isolated(), is_open)] == ["a"]
