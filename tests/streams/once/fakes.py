"""An owner without a broker: its producer keeps what is sent in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import ConsumerRecord

from streams.once import Codec, Engine, Observer, OnceApp, Silent, Table, UnitOfWork
from streams.once.batch import Batch
from streams.once.owner import Agent, Owner, State
from streams.once.producer import MAX_BATCH, Batches

COUNTS: Codec[str, int] = Codec(str.encode, bytes.decode, lambda count: str(count).encode(), int)
SOURCE = TopicPartition("source", 3)


class FakeProducer:
    """Takes part in a commit; ``seen`` is what was asked of it, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.batches: list[tuple[str, int, int]] = []
        """Topic, partition and number of records."""
        self.refused = ""
        """The topic whose batches are refused with a ValueError."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(MAX_BATCH, 0, is_transactional=1)

    async def write(
        self, batches: Batches, offsets: Mapping[TopicPartition, int], group: str
    ) -> dict[TopicPartition, int]:
        self.seen += sorted({tp.topic for tp in batches}) + [
            f"offset {offset}" for offset in offsets.values()
        ]
        if any(tp.topic == self.refused for tp in batches):
            raise ValueError("refused")
        self.batches += [(*tp, batch.record_count()) for tp, several in batches.items() for batch in several]
        return {tp: self._records(tp) - 1 for tp in batches}

    def _records(self, tp: TopicPartition) -> int:
        return sum(records for *where, records in self.batches if where == [*tp])

    async def commit(self) -> None:
        self.seen.append("commit")

    async def stop(self) -> None:
        self.seen.append("stop")


def an_engine(folder: Path, **given: Any) -> Engine:
    return Engine(kafka={"bootstrap_servers": "127.0.0.1:1"}, data_dir=folder, **given)


def an_app(folder: Path, **given: Any) -> OnceApp:
    return OnceApp("counter", an_engine(folder, **given))


def count(unit: UnitOfWork) -> None:
    """An agent that counts keys and says each count."""
    [counts] = unit.owner.slices
    for record in unit.records:
        key = record.key.decode()
        unit.write(counts, key, counts.get(key, 0) + 1)
        unit.send("counted", record.key, str(counts[key]).encode())


def an_owner(app: OnceApp, *tables: Table[Any, Any], observer: Observer | None = None) -> Owner:
    """Owns SOURCE; ready, with an empty store."""
    agent = Agent("count", count, {SOURCE.topic: "changelog"}, tables)
    owner = Owner(agent, SOURCE, app.conf.id, app.engine, observer or Silent())
    owner.open_store(app.engine.data_dir / "0", "cluster")
    owner.producer = cast(Any, FakeProducer())
    owner.state = State.READY
    app.tables.owners[SOURCE] = owner
    return owner


def a_batch(owner: Owner, *keys: str) -> Batch:
    """The records that come next for ``owner``."""
    start = owner.position
    records = [a_record(start + number, key) for number, key in enumerate(keys)]
    return Batch(owner.tp, start, start + len(keys), records, owner, owner.epoch)


def a_record(offset: int, key: str, value: bytes | None = b"") -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(SOURCE.topic, SOURCE.partition, offset, 0, 0, key.encode(), value, None, 0, 0, ())


@contextmanager
def filling(owner: Owner) -> Iterator[UnitOfWork]:
    """A unit of work that is being filled."""
    with UnitOfWork(owner, a_batch(owner)) as unit:
        yield unit
