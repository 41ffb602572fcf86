"""UnitOfWork: what one batch brings about, all of it or nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.once import OnceApp, Silent, Step, Table, UnitOfWork
from streams.once.owner import Owner
from streams.once.position import Position, decode_position
from streams.once.producer import MAX_BATCH
from streams.once.unit import SLICE
from tests.streams.once.fakes import COUNTS, FakeProducer, a_batch, an_app, an_owner


class Watch(Silent):
    """Writes down what was true as each step began."""

    def __init__(self) -> None:
        self.steps: list[tuple[Step, bytes | None, int]] = []

    def step(self, unit: UnitOfWork, step: Step) -> None:
        self.steps.append((step, unit.owner.store.get(b"counts\0a"), unit.owner.position))


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def owner(app: OnceApp, table: Table[str, int], watch: Watch) -> Iterator[Owner]:
    owner = an_owner(app, table, observer=watch)
    yield owner
    owner.store.close()


async def filled(owner: Owner, *keys: str) -> UnitOfWork:
    unit = UnitOfWork(owner, a_batch(owner, *keys))
    await unit.fill()
    return unit


async def test_a_commit_takes_its_steps_in_order(owner: Owner, watch: Watch) -> None:
    """All into one transaction, then the commit; the store and the position only after that."""
    unit = await filled(owner, "a", "b", "a")
    await unit.commit()
    assert [step for step, _, _ in watch.steps] == list(Step)[1:]
    assert {step for step, stored, _ in watch.steps if stored is not None} == {Step.POSITION}
    assert {at for _, _, at in watch.steps} == {0}
    assert owner.position == 3
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    assert producer.seen == ["changelog", "counted", "offset 3", "commit"]


async def test_the_changelog_has_each_key_once_and_the_position_last(owner: Owner) -> None:
    """Three records of two keys make two changes and one position; outputs are all there."""
    unit = await filled(owner, "a", "b", "a")
    await unit.commit()
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    assert sorted(producer.batches) == [("changelog", 3, 3), ("counted", 3, 3)]
    assert owner.store.applied is not None
    assert owner.store.applied.offset == 2


@pytest.mark.parametrize("topic", ["changelog", "counted"])
async def test_a_refused_record_leaves_nothing_local(owner: Owner, topic: str) -> None:
    """When the broker refuses one batch the unit raises before it commits, and before store and position."""
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    producer.refused = topic
    unit = await filled(owner, "a")
    with pytest.raises(ValueError, match="refused"):
        await unit.commit()
    assert producer.seen == ["changelog", "counted", "offset 1"]
    assert (owner.position, owner.store.get(b"counts\0a"), unit.reached) == (0, None, Step.WRITE)


async def test_a_unit_of_a_revoked_partition_is_given_up_at_once(owner: Owner) -> None:
    """A rebalance or a stop waits for the slice that is being filled, not for the whole batch."""
    unit = UnitOfWork(owner, a_batch(owner, *["a"] * (SLICE + 1)))
    filling = asyncio.create_task(unit.fill())
    await asyncio.sleep(0)
    owner.epoch += 1
    await filling
    assert unit.stale
    [counts] = owner.slices
    assert unit.read(counts, "a") == SLICE


async def test_outputs_of_any_size_leave_in_batches_the_broker_takes(owner: Owner) -> None:
    """What does not fit into one batch goes with the next, none is left out."""
    unit = await filled(owner)
    for number in range(10):
        unit.send("large", b"", bytes(MAX_BATCH // 4), partition=number % 2)
    await unit.commit()
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    large = [(partition, records) for topic, partition, records in producer.batches if topic == "large"]
    assert large == [(0, 3), (0, 2), (1, 3), (1, 2)]


async def test_outputs_go_to_the_same_partition_unless_told_otherwise(owner: Owner) -> None:
    """What is keyed as the source is stays on its partition number."""
    unit = await filled(owner)
    unit.send("same", b"k", b"v")
    unit.send("other", b"k", b"v", partition=0)
    await unit.commit()
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    assert sorted(producer.batches) == [("changelog", 3, 1), ("other", 0, 1), ("same", 3, 1)]


async def test_every_history_has_a_digest_of_its_own(tmp_path: Path) -> None:
    """The same records give the same digests; another record anywhere gives others from there on."""

    async def digests(name: str, *batches: tuple[str, ...]) -> list[str]:
        app = an_app(tmp_path / name)
        owner = an_owner(app, app.once_table("counts", COUNTS))
        seen = []
        for keys in batches:
            await (await filled(owner, *keys)).commit()
            seen.append(owner.digest)
        owner.store.close()
        return seen

    one = await digests("one", ("a",), ("b",), ("c",))
    assert await digests("same", ("a",), ("b",), ("c",)) == one
    other = await digests("other", ("a",), ("x",), ("c",))
    assert other[0] == one[0]
    assert {*other[1:]}.isdisjoint(one)
    assert len({*one}) == 3


def test_positions_written_by_the_first_version_can_be_read() -> None:
    """The position record is a contract: what is in changelogs today must be readable tomorrow."""
    assert decode_position(
        b'{"topic":"source","partition":3,"partitions":8,"end":17,"digest":"d1","schema":1}'
    ) == Position(topic="source", partition=3, partitions=8, end=17, digest="d1")


async def test_a_table_of_another_agent_is_refused_loudly(owner: Owner, tmp_path: Path) -> None:
    """Reading it would find nothing and writing it would lose it: both raise, and name agent and table."""
    foreign = an_app(tmp_path / "other").once_table("foreign", COUNTS)
    with UnitOfWork(owner, a_batch(owner, "a")):
        with pytest.raises(RuntimeError, match="table foreign is not among those of agent"):
            foreign.get("a")
        with pytest.raises(RuntimeError, match="table foreign is not among those of agent"):
            foreign["a"] = 1
