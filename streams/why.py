"""Why: everything that was decided about an event, or about a patient's events."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import NamedTuple

from aiokafka import TopicPartition

from models.billing import (
    BillingEvent,
    Decision,
    decode_billing_event,
    decode_decision,
    decode_procedure_or_decision,
)
from models.facilities import Facilities
from models.procedures import SEPARATOR, ProcedureEvent, place
from streams.errors import PerdiemError
from streams.partitioning import partition_of
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics

HINT = (
    f"Expected AUTHORITY{SEPARATOR}MRN: the authority's id, and the number as the facilities file normalises "
    "it (zeros stripped, say). Where PERDIEM_FACILITIES names that file, any spelling will do"
)
EVENT_ID = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+){3}")


class WhyError(PerdiemError):
    """A question that cannot be answered."""


class Told(NamedTuple):
    """One event: its decisions in order, and the billing events they tell of, by id."""

    decisions: list[Decision]
    billing_events: dict[str, BillingEvent]
    statement: ProcedureEvent | None
    """The event as intake resolved it; None if it did not."""

    @property
    def now(self) -> Decision:
        """The decision that is true now."""
        return self.decisions[-1]


async def of_event(settings: Settings, event_id: str) -> Told:
    """What was decided about one event. Raises ``WhyError`` if nothing was, or if it is no event's id."""
    if not EVENT_ID.fullmatch(event_id):
        raise WhyError(f"{event_id}: expected the id of an event, topic:partition:offset:index")
    text = event_id.encode()
    told = await _told(settings, lambda decision: decision.event_id == event_id, text, None)
    if not told:
        raise WhyError(f"no decision about {event_id}")
    return told[0]


async def of_patient(
    settings: Settings, patient: str, day: date | None = None, facilities: Facilities | None = None
) -> list[Told]:
    """What was decided about a patient's events, on one service date or on all; by date, then by event.

    ``patient`` is ``AUTHORITY|MRN``, in any spelling that ``facilities`` know; without them as they
    write it. Raises ``WhyError`` if nothing was decided, or for what is no patient.
    """
    if patient.count(SEPARATOR) != 1:
        raise WhyError(f"--patient: expected AUTHORITY{SEPARATOR}MRN")
    spelled = _spelled(patient, facilities)

    def wanted(decision: Decision) -> bool:
        return decision.patient == spelled and day in (None, decision.service_date)

    told = await _told(settings, wanted, b"", spelled.encode())
    if not told:
        hint = "" if facilities else f". {HINT}"
        raise WhyError(f"no decision about this patient{f' on {day}' if day else ''}{hint}")
    return sorted(told, key=lambda event: (event.now.service_date or date.max, place(event.now.event_id)))


def _spelled(patient: str, facilities: Facilities | None) -> str:
    """``patient`` as events name it; as it is where its authority is not known."""
    name, _, mrn = patient.partition(SEPARATOR)
    authority = facilities.authority(name.strip()) if facilities else None
    return f"{authority.id}{SEPARATOR}{authority.normal_mrn(mrn)}" if authority else patient


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
        statements = {
            statement.event_id: statement
            for patient in patients
            async for value in _values(source, topics.procedures.name, patient)
            if isinstance(statement := decode_procedure_or_decision(value), ProcedureEvent)
        }
    by_event: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(found, key=lambda decision: decision.sequence):
        by_event[decision.event_id].append(decision)
    return [Told(decisions, billing, statements.get(event)) for event, decisions in by_event.items()]


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
