"""UnitOfWork: everything one batch brings about, committed in one transaction."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from streams.once.batch import Batch
from streams.once.observer import Step
from streams.once.outbox import Headers, Outbox
from streams.once.owner import Owner
from streams.once.position import POSITION_KEY, Position, chain, encode_position
from streams.once.table import AnyTable, Slice, current_unit

SLICE = 25
"""Records an agent deals with before others may run: about 2 ms. Commits in flight need the loop too:
with whole batches of 2,000 on a busy machine one missed its deadline."""


class UnitOfWork:
    """Filled by an agent, then committed. Until the commit nothing leaves and nothing local changes.

    ``with unit: ...`` makes the app's tables writable and lets them show what was written; nothing
    is awaited in there.
    """

    def __init__(self, owner: Owner, batch: Batch) -> None:
        self.owner = owner
        self.batch = batch
        self.counts: Counter[str] = Counter()
        """What the agent counted: for an observer, when the unit is durable."""
        self.reached = Step.FILL
        self.ended = asyncio.Event()
        """Set when the unit is durable, or given up."""
        self._started = time.monotonic()
        self.changes: dict[bytes, bytes | None] = {}
        """What was written, as the changelog will hold it: the last value of each key; None deletes it."""
        self._outbox = Outbox()
        self._slice: Sequence[Any] = ()

    @property
    def records(self) -> Sequence[Any]:
        """The source records to deal with now: aiokafka ConsumerRecords, a slice of the batch."""
        return self._slice

    @property
    def stale(self) -> bool:
        """The partition was revoked, or the worker stops: this unit is not to be committed."""
        return self.batch.epoch != self.owner.epoch

    async def fill(self) -> None:
        """Call the agent on one slice of the batch after the other, letting others run in between.

        A stale unit is given up at the next slice: a rebalance and a stop wait for it.
        """
        records = self.batch.records
        for start in range(0, len(records), SLICE):
            if self.stale:
                return
            self._slice = records[start : start + SLICE]
            with self:
                self.owner.agent.fill(self)
            await asyncio.sleep(0)

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        *,
        partition: int | None = None,
    ) -> None:
        """Send a record with the unit, to this unit's own partition number unless told otherwise."""
        self._outbox.add(
            topic, self.batch.tp.partition if partition is None else partition, key, value, headers
        )

    def read(self, table: AnyTable, key: Any) -> Any:
        part = self._part(table)
        encoded = part.encode_key(key)
        changes = self.changes
        return part.decode(changes[encoded] if encoded in changes else self.owner.store.get(encoded))

    def write(self, table: AnyTable, key: Any, value: Any) -> None:
        part = self._part(table)
        self.changes[part.encode_key(key)] = part.encode(value)

    def _part(self, table: AnyTable) -> Slice[Any, Any]:
        part = self.owner.slices.get(table)
        if part is None:
            # No KeyError: a mapping's `get` would take it for a missing key.
            raise RuntimeError(f"table {table.name} is not among those of agent {self.owner.agent.name}")
        return part

    def __enter__(self) -> "UnitOfWork":
        self._token = current_unit.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        current_unit.reset(self._token)

    async def commit(self) -> None:
        """Make the unit durable, once. In order:

        1. into one transaction, on the partition's own producer, all of it acknowledged: the changelog (the
           last value of each key written, once, then the position record), outputs and dead letters, and
           the source offset;
        2. commit;
        3. only now the local store, in one write, with the changelog offset in it;
        4. the owner's position moves, and the partition may be polled again.

        Raises TimeoutError past the engine's unit deadline, and what Kafka raises. After step 1 has begun the
        owner is then poisoned: nobody knows what was committed, only a new acquisition finds out.
        """
        owner, batch = self.owner, self.batch
        records = [*self.changes.items()]
        position = Position(
            topic=batch.tp.topic,
            partition=batch.tp.partition,
            partitions=owner.engine.partitions,
            end=batch.end,
            digest=chain(owner.digest, [*records, (POSITION_KEY, str(batch.end).encode())]),
            group=owner.group,
            topic_id=owner.topic_id,
        )
        for key, value in [*records, (POSITION_KEY, encode_position(position))]:
            self._outbox.add(owner.changelog.topic, owner.changelog.partition, key, value)

        async with asyncio.timeout(owner.engine.unit_deadline):
            self._take(Step.WRITE)
            batches = self._outbox.batches(owner.producer.create_batch)
            written = await owner.producer.write(batches, {batch.tp: batch.end}, owner.group)
            self._take(Step.COMMIT)
            await owner.producer.commit()

        self._take(Step.STORE)
        owner.store.apply(records, (written[owner.changelog], position.digest))
        self._take(Step.POSITION)
        owner.moved(batch.end, position.digest)
        owner.observer.committed(self, time.monotonic() - self._started)

    def _take(self, step: Step) -> None:
        self.owner.observer.step(self, step)
        self.reached = step
