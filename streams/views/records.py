"""Records: what a source, a person or billing said under an event's id, read from its topic."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from models.billing import Outcome
from models.commands import Redrive, Release, command
from models.hearing import Taken
from models.messages import Unreadable
from models.procedures import ProcedureEvent, place
from models.worklist import Item, State
from streams.clients import BrokersError
from streams.holds import Holds
from streams.intake.sources import Sources
from streams.reading import ReadingError, reader
from streams.settings import Settings

_FETCH_BYTES = 64 << 10
_WITHIN = 5.0
"""Seconds."""


class Said(NamedTuple):
    """What was found under an event's id: ``taken`` as intake takes it today, None if it cannot be read."""

    there: bool
    taken: Taken | None = None


class RecordsError(Exception):
    """Kafka does not give a record in time."""


class Records:
    """Reads single records, each where its event id says."""

    def __init__(self, settings: Settings, sources: Sources, holds: Holds) -> None:
        self._settings = settings
        self._sources = sources
        self._holds = holds

    def __contains__(self, topic: str) -> bool:
        return topic in self._sources

    async def statements(self, event_ids: Sequence[str]) -> dict[str, ProcedureEvent]:
        """What sources say of procedures under these ids, as intake takes it today; none that is not there.

        Raises ``RecordsError``.
        """
        found: dict[str, ProcedureEvent] = {}
        for event_id in event_ids:
            if event_id.rsplit(":", 3)[0] in self:
                taken = (await self.said(event_id, None)).taken
                if isinstance(taken, ProcedureEvent):
                    found[event_id] = taken
        return found

    async def said(self, event_id: str, item: Item | None) -> Said:
        """What the event says; of an ``item`` that was released or redriven with what a person filled in.

        Raises ``RecordsError``.
        """
        if item is not None and item.state in (State.RELEASED, State.REDRIVEN):
            return Said(True, await self._released(event_id, item))
        topic, partition, offset, index = place(event_id)
        record = await self._read(topic, partition, offset)
        if record is None:
            return Said(False)
        taken: list[Taken] = []
        with suppress(Unreadable):
            prefix = f"{topic}:{partition}:{offset}:"
            taken = self._sources.take_in(topic, record.value, prefix, record.timestamp)
        return Said(True, taken[index] if index < len(taken) else None)

    async def _released(self, event_id: str, item: Item) -> Taken | None:
        for heard in reversed(item.heard.values()):
            if heard.outcome is not Outcome.APPLIED:
                continue
            topic, partition, offset, _ = place(heard.event_id)
            record = await self._read(topic, partition, offset)
            with suppress(ValidationError, Unreadable):
                said = command.validate_json(record.value) if record else None
                if isinstance(said, Release | Redrive):
                    taken = self._holds.take_in(item, said)
                    index = place(event_id)[-1] if len(taken) > 1 else 0
                    return taken[index]
        return None

    async def _read(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        try:
            async with asyncio.timeout(_WITHIN), reader(self._settings, _FETCH_BYTES) as source:
                return await source.record(topic, partition, offset)
        except (BrokersError, ReadingError, TimeoutError) as error:
            raise RecordsError("Kafka does not give the event's record now") from error
