"""People: who works the worklist, and the billing department that acknowledges charges, while all goes on."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from models.billing import Acknowledged, Kind, decode_billing_event
from models.codes import Service, code_on
from models.facilities import Facilities
from models.procedures import ProcedureEvent
from models.resolve import resolve
from models.worklist import Kind as Waits
from models.worklist import decode_item
from streams.app import load_facilities
from streams.headers import EVENT_ID, RECORD, TYPE
from streams.intake import json_procedures
from streams.settings import Settings
from streams.story import Expected
from streams.topics import Topics

_ACKNOWLEDGED = {Acknowledged.ACCEPTED: 6, Acknowledged.ON_CLAIM: 3, Acknowledged.REFUSED: 1}
"""How often billing says so, in proportion."""


class People:
    """Decide about what is held or a dead letter, not always rightly at once, and acknowledge charges.

    ``expected``: charges that their releases bring.
    """

    def __init__(
        self, settings: Settings, random: Random, reader: AIOKafkaConsumer, writer: AIOKafkaProducer
    ) -> None:
        self.sent = 0
        self.did: Counter[str] = Counter()
        self.expected: set[Expected] = set()
        self._topics = Topics.of(settings)
        self._facilities: Facilities = load_facilities(settings.facilities)
        self._random, self._reader, self._writer = random, reader, writer

    async def work(self) -> bool:
        """Deal with what has come since; whether there was anything to decide."""
        polled = await self._reader.getmany(timeout_ms=200, max_records=500)
        before = self.sent
        for partition, records in polled.items():
            deal_with = {
                self._topics.billing_events.name: self._acknowledge,
                self._topics.dead_letters.name: self._give_up,
            }.get(partition.topic, self._decide)
            for record in records:
                await deal_with(record)
        return self.sent > before

    async def finish(self) -> bool:
        """Deal with all that is there to be read; whether there was anything to decide."""
        before = self.sent
        while await self._behind():
            await self.work()
        await self._writer.flush()
        return self.sent > before

    async def _behind(self) -> bool:
        """Whether there is more to read."""
        ends = await self._reader.end_offsets([*self._reader.assignment()])
        at = [await self._reader.position(partition) < end for partition, end in ends.items()]
        return any(at)

    async def _acknowledge(self, record: ConsumerRecord) -> None:
        charge = decode_billing_event(record.value)
        if charge.kind is not Kind.CHARGE:
            return
        [status] = self._random.choices([*_ACKNOWLEDGED], [*_ACKNOWLEDGED.values()])
        why = {"reason": "no authorisation"} if status is Acknowledged.REFUSED else {}
        said = {"charge_id": charge.charge_id, "patient": charge.patient, "status": status, **why}
        await self._say(self._topics.acks.name, said, charge.charge_id)
        self.did[status] += 1

    async def _decide(self, record: ConsumerRecord) -> None:
        kind = dict(record.headers).get("perdiem-type")
        name = record.key.decode()
        if kind in (None, b"record"):
            await self._clear(name, record)
        elif kind == b"item":
            item = decode_item(record.value)
            apply = item.kind in (Waits.CORRECTION, Waits.CLAIMED)
            await self._command("release" if apply else "reject", item.id)

    async def _give_up(self, record: ConsumerRecord) -> None:
        """A record that cannot be read is tried again as it is, in vain, and discarded or left."""
        told = dict(record.headers)
        if told.get(TYPE) != RECORD:
            return
        name = told[EVENT_ID].decode()
        for time in range(self._random.randrange(3)):
            await self._command("redrive", name, f"{time}-")
        if self._random.random() < 0.5:
            await self._command("discard", name)

    async def _clear(self, name: str, record: ConsumerRecord) -> None:
        """A charge code that nobody mapped is a collection; whom nobody knows is nobody's."""
        [message] = json_procedures.read(record.value)
        if self._random.random() < 0.5:
            await self._command("release", name, "in-vain-")  # nothing is filled in: it is held as before
        if message.charge_code is None:
            await self._command("reject", name)
            return
        day = datetime.fromisoformat(json.loads(record.value)["performed"]["start"]).date()
        code = code_on(Service.COLLECTION, day)
        filled = message.model_copy(update={"code": code})
        resolved = resolve(filled, self._facilities, event_id=name, received=record.timestamp)
        assert isinstance(resolved, ProcedureEvent)
        if resolved.counts:
            assert resolved.stream is not None
            assert resolved.service is not None
            assert resolved.service_date is not None
            self.expected.add(
                Expected(
                    resolved.patient,
                    resolved.stream,
                    resolved.service,
                    resolved.service_date,
                    resolved.code or "",
                )
            )
        await self._command("release", name, fill={"code": code})

    async def _command(self, command: str, item: str, which: str = "", **more: Any) -> None:
        now = datetime.now(UTC).isoformat()
        said = {"command": command, "id": f"{command}-{which}{item}", "item": item, "user": "clerk"}
        said |= {"time": now, "reason": "looked into"}
        await self._say(self._topics.commands.name, said | more, item)
        self.did[command] += 1

    async def _say(self, topic: str, said: dict[str, Any], key: str) -> None:
        await self._writer.send(topic, json.dumps(said).encode(), key.encode())
        self.sent += 1


@asynccontextmanager
async def at_work(settings: Settings, random: Random) -> AsyncIterator[People]:
    """People who read from the beginning of the worklist and of the billing events."""
    topics = Topics.of(settings)
    reader = AIOKafkaConsumer(
        **settings.kafka(),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    writer = AIOKafkaProducer(**settings.kafka(), enable_idempotence=True)
    await asyncio.gather(reader.start(), writer.start())
    try:
        partitions = [
            TopicPartition(topic.name, number)
            for topic in (topics.held, topics.dead_letters, topics.billing_events)
            for number in range(settings.partitions)
        ]
        reader.assign(partitions)
        for partition in partitions:
            reader.seek(partition, 0)
        yield People(settings, random, reader, writer)
    finally:
        await asyncio.gather(reader.stop(), writer.stop())
