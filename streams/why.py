"""Why: everything that was decided about an event, or about a patient's events."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from aiokafka import TopicPartition

from models.billing import (
    BillingEvent,
    Decision,
    decode_billing_event,
    decode_decision,
)
from models.entries import decode_entry
from models.explain import Order
from models.facilities import Facilities
from models.procedures import SEPARATOR, ProcedureEvent, place
from streams.commands import orders
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
CHARGE_ID = re.compile(r"[0-9a-f]{32}")


class WhyError(PerdiemError):
    """A question that cannot be answered."""


class Told(NamedTuple):
    """One event: its decisions in order, and the billing events they tell of, by id."""

    decisions: list[Decision]
    billing_events: dict[str, BillingEvent]
    statement: ProcedureEvent | None
    """The event as intake resolved it; None if it did not."""
    orders: Mapping[str, Order] = MappingProxyType({})
    """By event id: commands and acknowledgements that the decisions name, this event itself among them."""
    brought_about: tuple[Decision, ...] = ()
    """Of a command or an acknowledgement: decisions on other events that it brought about, in order."""

    @property
    def now(self) -> Decision:
        """The decision that is true now."""
        return self.decisions[-1]

    @property
    def order(self) -> Order | None:
        """What a person decided or billing answered, if that is what the event is."""
        return self.orders.get(self.now.event_id)


async def of_event(settings: Settings, event_id: str) -> Told:
    """What was decided about one event, and of a command or an acknowledgement also because of it.

    Raises ``WhyError`` if nothing was, or if it is no event's id.
    """
    if not EVENT_ID.fullmatch(event_id):
        raise WhyError(f"{event_id}: expected an event id, topic:partition:offset:index, or a charge id")
    topics, text = Topics.of(settings), event_id.encode()
    decided = event_id.rsplit(":", 3)[0] in (topics.commands.name, topics.acks.name)

    def wanted(decision: Decision) -> bool:
        return decision.event_id == event_id or (decided and decision.cause == event_id)

    told = await _told(settings, wanted, text, None)
    own = next((event for event in told if event.now.event_id == event_id), None)
    if own is None:
        raise WhyError(f"no decision about {event_id}")
    if not decided:
        return own
    others = [made for event in told if event is not own for made in event.decisions]
    others.sort(key=lambda made: (place(made.event_id), made.sequence))
    return own._replace(brought_about=tuple(others))


async def of_charge(settings: Settings, charge_id: str) -> tuple[list[BillingEvent], list[Told]]:
    """The charge and its credit, if there is one, and what was decided about the patient's events on its day.

    ``charge_id`` may be the credit's, too. Raises ``WhyError`` if no billing event has it.
    """
    text = charge_id.encode()
    async with reader(settings) as source:
        values = _values(source, Topics.of(settings).billing_events.name, None)
        named = [decode_billing_event(value) async for value in values if text in value]
    found = [event for event in named if charge_id in (event.id, event.charge_id)]
    if not found:
        raise WhyError(f"no charge or credit {charge_id}")
    charge = found[0]
    if charge.charge_id != charge_id:
        return await of_charge(settings, charge.charge_id)

    def wanted(decision: Decision) -> bool:
        return decision.patient == charge.patient and (
            decision.service_date == charge.service_date or decision.event_id == charge.event_id
        )

    told = await _told(settings, wanted, b"", charge.patient.encode())
    return found, sorted(told, key=lambda event: place(event.now.event_id))


async def of_patient(
    settings: Settings, patient: str, day: date | None = None, facilities: Facilities | None = None
) -> list[Told]:
    """What was decided about a patient's events, on one service date or on all; by date, then by event.

    ``patient`` is ``AUTHORITY|MRN``, in any spelling that ``facilities`` know; without them as they
    write it. Raises ``WhyError`` if nothing was decided, or for what is no patient.
    """
    if patient.count(SEPARATOR) != 1:
        raise WhyError(f"--patient: expected AUTHORITY{SEPARATOR}MRN")
    spelled = (facilities.patient(patient) if facilities else None) or patient

    def wanted(decision: Decision) -> bool:
        return decision.patient == spelled and day in (None, decision.service_date)

    told = await _told(settings, wanted, b"", spelled.encode())
    if not told:
        hint = "" if facilities else f". {HINT}"
        raise WhyError(f"no decision about this patient{f' on {day}' if day else ''}{hint}")
    return sorted(told, key=lambda event: (event.now.service_date or date.max, place(event.now.event_id)))


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
            if isinstance(statement := decode_entry(value), ProcedureEvent)
        }
    given = await orders(settings, (name for decision in found for name in _named(decision)))
    by_event: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(found, key=lambda decision: decision.sequence):
        by_event[decision.event_id].append(decision)
    return [Told(decisions, billing, statements.get(event), given) for event, decisions in by_event.items()]


def _named(decision: Decision) -> Iterator[str]:
    """The events that a decision names."""
    yield from filter(None, (decision.event_id, decision.cause, decision.of))


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
