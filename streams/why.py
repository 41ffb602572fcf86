"""Why: everything that was decided about an event, or about a patient's events."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import NamedTuple

from aiokafka import TopicPartition

from models.billing import BillingEvent, Decision, decode_billing_event, decode_decision
from models.procedures import SEPARATOR
from streams.errors import PerdiemError
from streams.partitioning import partition_of
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics


class WhyError(PerdiemError):
    """A question that cannot be answered."""


class Told(NamedTuple):
    """One event: its decisions in order, and the billing events they tell of, by id."""

    decisions: list[Decision]
    billing_events: dict[str, BillingEvent]


async def of_event(settings: Settings, event_id: str) -> Told:
    """What was decided about one event. Raises ``WhyError`` if nothing was."""
    text = event_id.encode()
    told = await _told(settings, lambda decision: decision.event_id == event_id, text, None)
    if not told:
        raise WhyError(f"no decision about {event_id}: expected an id topic:partition:offset:index")
    return told[0]


async def of_patient(settings: Settings, patient: str, day: date | None = None) -> list[Told]:
    """What was decided about a patient's events, on one service date or on all.

    ``patient`` is ``authority|MRN`` as the facilities file normalises them. Raises as ``of_event``.
    """
    if patient.count(SEPARATOR) != 1:
        raise WhyError("--patient: expected AUTHORITY|MRN, as the facilities file writes them")

    def wanted(decision: Decision) -> bool:
        return decision.patient == patient and day in (None, decision.service_date)

    told = await _told(settings, wanted, b"", patient.encode())
    if not told:
        raise WhyError("no decision about this patient" + (f" on {day}" if day else ""))
    return told


async def _told(
    settings: Settings, wanted: Callable[[Decision], bool], text: bytes, key: bytes | None
) -> list[Told]:
    topics = Topics.of(settings)
    async with reader(settings) as source:
        found = [
            decision
            async for value in _values(source, topics.decisions.name, key)
            if text in value and wanted(decision := decode_decision(value))
        ]
        if not found:
            return []
        named = {name for decision in found for name in (*decision.billing_events, decision.charge_id)}
        patients = {decision.patient.encode() for decision in found if decision.patient}
        billing = {
            event.id: event
            for patient in patients
            async for value in _values(source, topics.billing_events.name, patient)
            if (event := decode_billing_event(value)).id in named
        }
    by_event: dict[str, list[Decision]] = defaultdict(list)
    for decision in found:
        by_event[decision.event_id].append(decision)
    return [Told(decisions, billing) for decisions in by_event.values()]


async def _values(source: Reader, topic: str, key: bytes | None) -> AsyncIterator[bytes]:
    """The values of ``topic``, one after the other; only those of ``key`` if one is given."""
    spans = await source.spans(topic)
    if key is not None:
        chosen = TopicPartition(topic, partition_of(key, len(spans)))
        spans = {chosen: spans[chosen]}
    async for records in source.read(spans):
        for record in records:
            if key in (None, record.key) and record.value is not None:
                yield record.value
