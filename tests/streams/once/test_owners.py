"""Owners: which partitions a worker keeps, acquires and releases when the group changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka.errors import ProducerFenced
from faust.types import TP

from streams.once import OnceApp, Silent
from streams.once.owner import Agent, Owner, State
from streams.once.owners import Owners
from tests.streams.once.fakes import COUNTS, SOURCE, a_batch, an_app, count

HERE = TP(*SOURCE)
ELSEWHERE = TP(SOURCE.topic, 0)


class Rebalance(NamedTuple):
    generation: int
    kept: int
    acquired: int
    released: int


class Watch(Silent):
    """Remembers the last rebalance."""

    last: Rebalance

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        self.last = Rebalance(generation, kept, acquired, released)


class Group:
    """A group that gives a worker partitions; what it acquires is ready at once."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app: OnceApp = an_app(folder)
        self.app.observer = self.watch = Watch()
        table = self.app.once_table("counts", COUNTS)
        self.app.tables.agents[SOURCE.topic] = Agent("count", count, {SOURCE.topic: "changelog"}, [table])

        async def bring_up(owners: Owners, owner: Owner) -> None:
            owner.state = State.READY

        monkeypatch.setattr(Owners, "_bring_up", bring_up)

    @property
    def owner(self) -> Owner:
        return self.app.tables.owners[SOURCE]

    async def gives(self, generation: int, *assigned: TP) -> Rebalance:
        """One rebalance, as Faust tells it; the group has not settled yet, so nothing is served."""
        owned = {TP(*tp) for tp in self.app.tables.owners}
        self.app.tables.on_partitions_revoked(owned)
        await self.app.tables.on_rebalance({*assigned}, owned - {*assigned}, {*assigned} - owned, generation)
        await asyncio.sleep(0)
        return self.watch.last


@pytest.fixture
async def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Group]:
    group = Group(tmp_path, monkeypatch)
    yield group
    for owner in group.app.tables.owners.values():
        await owner.release()


async def test_a_partition_given_again_in_the_next_generation_keeps_its_owner(group: Group) -> None:
    """Nobody else had it: producer and state stay, only what was drained before is stale."""
    assert await group.gives(4, HERE) == (4, 0, 1, 0)
    owner, batch = group.owner, a_batch(group.owner)
    assert await group.gives(5, HERE, ELSEWHERE) == (5, 1, 1, 0)
    assert group.owner is owner
    assert batch.epoch != owner.epoch
    assert owner.state is State.RESTORED


async def test_after_a_skipped_generation_everything_is_acquired_anew(group: Group) -> None:
    """In between somebody else may have had the partition, and written."""
    await group.gives(4, HERE)
    owner = group.owner
    assert await group.gives(6, HERE) == (6, 0, 1, 1)
    assert group.owner is not owner
    assert owner.released


async def test_a_partition_that_left_is_released(group: Group) -> None:
    """Its owner is closed, and its table is not shown any more."""
    await group.gives(4, HERE, ELSEWHERE)
    owner = group.owner
    assert await group.gives(5, ELSEWHERE) == (5, 1, 0, 1)
    assert owner.released
    assert [*group.app.tables.owners] == [(SOURCE.topic, 0)]


async def test_an_owner_fenced_during_a_rebalance_is_not_kept(group: Group) -> None:
    """It cannot write any more: the partition is acquired anew, instead of standing still for ever."""
    await group.gives(4, HERE)
    owner = group.owner
    group.app.rebalancing = True
    await group.app.tables.fenced(owner, ProducerFenced())
    assert await group.gives(5, HERE) == (5, 0, 1, 1)
    assert group.owner is not owner


async def test_a_partition_is_acquired_again_only_when_its_last_owners_have_closed(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it came and went meanwhile: two owners on one store would be refused by its lock."""
    await group.gives(4, HERE)
    slow, closing, close = group.owner, group.app.tables._closing, asyncio.Event()
    release = slow.release

    async def slowly() -> None:
        await close.wait()
        await release()

    monkeypatch.setattr(slow, "release", slowly)
    await group.gives(5)
    await group.gives(6, HERE)
    await group.gives(7)
    await asyncio.sleep(0)
    [waiting] = closing.values()
    assert not waiting.done()
    close.set()
    await waiting
    assert slow.released
    assert not closing
