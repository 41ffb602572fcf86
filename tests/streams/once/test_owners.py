"""Owners: which partitions a worker keeps, acquires and releases when the group changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from faust.types import TP

from streams.once import OnceApp, Silent
from streams.once.failure import EXIT_REFUSED
from streams.once.owner import Agent, Owner, State
from streams.once.owners import Owners
from tests.streams.once.fakes import COUNTS, SOURCE, a_batch, an_app, count

HERE = TP(*SOURCE)
ELSEWHERE = TP(SOURCE.topic, 0)


class Ended(BaseException):
    """The process is no more."""


class Rebalance(NamedTuple):
    generation: int
    kept: int
    acquired: int
    released: int


class Watch(Silent):
    """Remembers the last rebalance, and who was fenced."""

    last: Rebalance

    def __init__(self) -> None:
        self.lost: list[Owner] = []

    def fenced(self, owner: Owner) -> None:
        self.lost.append(owner)

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        self.last = Rebalance(generation, kept, acquired, released)


class Topics:
    """A cluster that tells the ids of source topics when told to."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.id = "first"
        self.failure: Exception | None = None
        self.answer = asyncio.Event()

    async def topic_ids(self, topics: set[str]) -> dict[str, str]:
        self.asked.append(topics)
        await self.answer.wait()
        if self.failure is not None:
            raise self.failure
        return dict.fromkeys(topics, self.id)


class Consumer:
    """Does as it is told; each seek is remembered. It is its own thread."""

    def __init__(self) -> None:
        self.thread = self
        self.sought: list[tuple[TopicPartition, int]] = []

    async def seek_to(self, tp: TopicPartition, position: int) -> bool:
        self.sought.append((tp, position))
        return True

    def resume_partitions(self, assigned: set[TP]) -> None:
        pass

    def resume_flow(self) -> None:
        pass

    def wake(self) -> None:
        pass

    async def maybe_start(self) -> None:
        pass


class Group:
    """A group that gives a worker partitions; what it acquires is ready at once."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app: OnceApp = an_app(folder)
        self.app.observer = self.watch = Watch()
        table = self.app.once_table("counts", COUNTS)
        self.app.tables.agents[SOURCE.topic] = Agent("count", count, {SOURCE.topic: "changelog"}, [table])

        self.topics = Topics()
        self.app.tables._cluster = cast(Any, self.topics)
        self.consumer = self.app.consumer = self.app._fetcher = cast(Any, Consumer())

        async def bring_up(owners: Owners, owner: Owner) -> None:
            owner.topic_id = "first"
            owner.state = State.READY

        monkeypatch.setattr(Owners, "_bring_up", bring_up)

    @property
    def owner(self) -> Owner:
        return self.app.tables.owners[SOURCE]

    async def gives(self, generation: int, *assigned: TP) -> Rebalance:
        """One rebalance, as Faust tells it."""
        owned = {TP(*tp) for tp in self.app.tables.owners}
        self.app.tables.on_partitions_revoked(owned)
        await self.app.tables.on_rebalance({*assigned}, owned - {*assigned}, {*assigned} - owned, generation)
        await asyncio.sleep(0)
        return self.watch.last

    async def settles(self, generation: int, *assigned: TP) -> None:
        """A rebalance that no other one follows at once: what was kept is to be served."""
        self.app.consumer_generation_id = generation
        await self.gives(generation, *assigned)

    async def answers(self) -> None:
        """Kafka tells the ids of the topics."""
        self.topics.answer.set()
        serving = self.app.tables._serving
        assert serving is not None
        await serving


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
    assert group.watch.lost == [owner]
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


async def test_owners_kept_are_served_when_one_question_has_told_that_their_topics_are_the_same(
    group: Group,
) -> None:
    """The rebalance itself does not wait for it: heartbeats rest meanwhile."""
    await group.gives(4, HERE, ELSEWHERE)
    await group.settles(5, HERE, ELSEWHERE)
    owners = group.app.tables.owners.values()
    assert {owner.state for owner in owners} == {State.RESTORED}
    assert group.consumer.sought == []
    await group.answers()
    assert {owner.state for owner in owners} == {State.READY}
    assert sorted(group.consumer.sought) == [(ELSEWHERE, 0), (HERE, 0)]
    assert group.topics.asked == [{SOURCE.topic}]


async def test_a_topic_created_again_while_its_owner_was_kept_is_refused(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first records have the offsets of those that were processed, and would pass for them."""
    said: list[tuple[str, int]] = []

    def die(what: str, *, code: int) -> NoReturn:
        said.append((what, code))
        raise Ended

    monkeypatch.setattr("streams.once.owners.die", die)
    await group.gives(4, HERE)
    group.owner.position = 50
    group.topics.id = "second"
    await group.settles(5, HERE)
    group.topics.answer.set()
    serving = group.app.tables._serving
    assert serving is not None
    assert isinstance((await asyncio.gather(serving, return_exceptions=True))[0], Ended)
    [(line, code)] = said
    assert line.startswith("source[3]: the topic was deleted and created again: its first 50 records would")
    assert code == EXIT_REFUSED
    assert group.consumer.sought == []


@pytest.mark.parametrize("failure", [KafkaError(), TimeoutError(), KeyError("source")])
async def test_an_owner_kept_is_served_where_kafka_does_not_tell_of_its_topic(
    group: Group, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    """A worker that is well does not end because a question was not answered; it says so."""
    await group.gives(4, HERE)
    group.topics.failure = failure
    await group.settles(5, HERE)
    await group.answers()
    assert group.owner.state is State.READY
    assert "does not tell whether a source topic was created again" in caplog.text


async def test_what_was_asked_for_one_rebalance_serves_nobody_after_the_next(group: Group) -> None:
    """The topic could have been created again between the two."""
    await group.gives(4, HERE)
    await group.settles(5, HERE)
    first = group.app.tables._serving
    group.app.rebalancing = True
    await group.gives(6, HERE)
    group.topics.answer.set()
    await asyncio.sleep(0.01)
    assert first is not None
    assert first.cancelled()
    assert group.consumer.sought == []
    await group.settles(7, HERE)
    await group.answers()
    assert group.consumer.sought == [(HERE, 0)]
