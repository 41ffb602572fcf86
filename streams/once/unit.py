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
        """What the agent counted; added to the owner's counts when the unit is durable."""
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

        1. begin a transaction on the partition's own producer;
        2. the changelog: the last value of each key written, once, then the position record;
        3. outputs and dead letters, as whole batches;
        4. the source offset, into the same transaction; then every acknowledgement is awaited;
        5. commit;
        6. only now the local store, in one write, with the changelog offset in it;
        7. the owner's position moves, and the partition may be polled again.

        Raises TimeoutError past the engine's unit deadline, and what Kafka raises. After step 1 the
        owner is then poisoned: nobody knows what was committed, only a new acquisition finds out.
        """
        owner, batch = self.owner, self.batch
        producer = owner.producer
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
        changelog = Outbox()
        for key, value in [*records, (POSITION_KEY, encode_position(position))]:
            changelog.add(owner.changelog.topic, owner.changelog.partition, key, value)

        async with asyncio.timeout(owner.engine.unit_deadline), owner.naming_the_cause():
            self._take(Step.BEGIN)
            await producer.begin_transaction()
            self._take(Step.CHANGELOG)
            state = await changelog.submit(producer)
            self._take(Step.OUTPUTS)
            outputs = await self._outbox.submit(producer)
            self._take(Step.OFFSET)
            await producer.send_offsets_to_transaction({batch.tp: batch.end}, owner.group)
            await asyncio.gather(*(batch.acknowledged for batch in [*state, *outputs]))
            at = await state[-1].last_offset()
            self._take(Step.COMMIT)
            await producer.commit_transaction()

        self._take(Step.STORE)
        owner.store.apply(records, (at, position.digest))
        self._take(Step.POSITION)
        owner.moved(batch.end, position.digest, self.counts)
        owner.observer.committed(self, time.monotonic() - self._started)

    def _take(self, step: Step) -> None:
        self.owner.observer.step(self, step)
        self.reached = step
