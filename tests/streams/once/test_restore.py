"""Restorer: bringing state back from changelogs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.once import restore
from streams.once.engine import Engine
from streams.once.failure import Refused
from streams.once.owner import Owner
from streams.once.position import POSITION_KEY, Position, encode_position
from streams.once.restore import Job, Restorer
from tests.streams.once.fakes import a_record


class EmptyLog:
    """A reader of changelogs without a record."""

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 0)

    end_offsets = beginning_offsets

    def assign(self, tps: list[TopicPartition]) -> None: ...

    def seek(self, tp: TopicPartition, offset: int) -> None: ...


async def test_a_restore_that_begins_as_the_last_one_ends_is_done(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reader serves all restores and closes after the last: nobody is forgotten while it closes."""
    closing, closed = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def reader(engine: Engine, isolation_level: str) -> AsyncIterator[Any]:
        yield EmptyLog()
        closing.set()
        await closed.wait()

    monkeypatch.setattr(restore, "reader", reader)
    restorer = Restorer(owner.engine)
    assert await restorer.restore(owner) is None
    await closing.wait()
    late = asyncio.create_task(restorer.restore(owner))
    await asyncio.sleep(0)
    closed.set()
    async with asyncio.timeout(5):
        assert await late is None


async def test_a_changelog_that_lost_its_first_records_is_refused(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention on it, say: the state that is left would charge again what it does not know of."""

    class Cut(EmptyLog):
        async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(tps, 40)

    @asynccontextmanager
    async def reader(engine: Engine, isolation_level: str) -> AsyncIterator[Any]:
        yield Cut()

    monkeypatch.setattr(restore, "reader", reader)
    with pytest.raises(Refused, match=r"changelog\[3\]: records 0 to 39 of this changelog were deleted"):
        await Restorer(owner.engine).restore(owner)


def position(offset: int, end: int, digest: str) -> Any:
    value = encode_position(Position(topic="source", partition=3, partitions=8, end=end, digest=digest))
    return a_record(offset, POSITION_KEY.decode(), value)


async def test_a_store_that_is_current_reads_one_record(owner: Owner) -> None:
    """Reading begins at the position record that the store followed last, which proves it."""
    owner.store.apply([(b"counts\0a", b"1")], (7, "d7"))
    job = Job(owner)
    job.bound(beginning=0, end=9)
    assert job.at == 7
    assert job.apply([position(7, 3, "d7")])
    assert job.position is not None
    assert (job.position.end, job.verifying, job.read) == (3, None, 1)
    assert owner.store.get(b"counts\0a") == b"1"


async def test_a_store_whose_record_is_not_there_is_not_believed(owner: Owner) -> None:
    """Another digest, another key or another offset where its last position should be: False."""
    owner.store.apply([], (7, "d7"))
    for record in (position(7, 3, "x"), a_record(7, "counts\0a", b"1"), position(8, 3, "d7")):
        job = Job(owner)
        job.bound(beginning=0, end=9)
        assert not job.apply([record])


async def test_a_store_outside_its_changelog_is_thrown_away(owner: Owner) -> None:
    """The log ends before it: it was truncated, or created again."""
    owner.store.apply([(b"counts\0a", b"1")], (7, "d7"))
    job = Job(owner)
    job.bound(beginning=0, end=7)
    assert job.at == 0
    assert owner.store.get(b"counts\0a") is None


async def test_an_interrupted_restore_goes_on_from_the_last_position(owner: Owner) -> None:
    """What was applied after it is read again; the values are the same, so nothing is wrong."""
    job = Job(owner)
    job.bound(beginning=0, end=9)
    assert job.apply([a_record(0, "counts\0a", b"1"), position(1, 1, "d1"), a_record(3, "counts\0a", b"2")])
    again = Job(owner)
    again.bound(beginning=0, end=9)
    assert again.at == 1
    assert again.apply([position(1, 1, "d1"), a_record(3, "counts\0a", None), position(4, 2, "d2")])
    assert owner.store.get(b"counts\0a") is None
    assert owner.store.applied is not None
    assert (owner.store.applied.offset, owner.store.applied.digest) == (4, "d2")
