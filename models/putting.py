"""Putting: how what is held, or became a dead letter, comes to the worklist, and comes there again."""

from typing import NamedTuple

from msgspec.structs import replace

from models.billing import Decision, Outcome
from models.worklist import Item, Kind, State

KINDS = {Outcome.HELD: Kind.HELD, Outcome.DEAD_LETTERED: Kind.DEAD_LETTER}


class Aside(NamedTuple):
    """A record that was put aside: itself as it came, and the decision that says why."""

    decision: Decision
    at: int
    """Milliseconds since the epoch: when it was put aside."""
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    redriven: bool = False
    """A redrive had sent it."""


def put(item: Item | None, aside: Aside) -> Item:
    """The item of a record that was put aside; ``item`` is what the worklist has of that event.

    What is there is not put again, unless it was redriven and failed again: then it is open as before.
    """
    if item is None:
        return _item(aside)
    known = item.decision.sequence if item.decision else 0
    if _failed_again(item, aside, known):
        return replace(_item(aside), since=item.since, redriven=item.redriven, heard=item.heard)
    if item.decision and known < aside.decision.sequence:
        # Delivered again and decided once more: the next decision about it has a number of its own.
        return replace(item, decision=replace(item.decision, sequence=aside.decision.sequence))
    return item


def enter(known: Item | None, item: Item) -> Item:
    """The item that another agent sent; ``known`` is what the worklist has of that id.

    What is there stays as it is. It can be superseded while it is open, by the patient's ledger that sent it.
    What was closed is open again where the ledger of another patient asks.
    """
    if known is None:
        return item
    if item.state is State.SUPERSEDED:
        closes = known.state is State.OPEN and known.patient == item.patient
        return replace(known, state=item.state, reason=item.reason) if closes else known
    if known.state is not State.OPEN and known.patient != item.patient:
        return replace(item, heard=known.heard)
    return known


def _failed_again(item: Item, aside: Aside, known: int) -> bool:
    """Not what is only delivered again: that lies no further on, or no redrive had sent it."""
    if (item.topic, item.partition) == (aside.topic, aside.partition):
        later = item.offset is None or aside.offset > item.offset
    else:
        later = aside.decision.sequence > known
    return aside.redriven and later


def _item(aside: Aside) -> Item:
    decision = aside.decision
    return Item(
        id=decision.event_id,
        kind=KINDS[decision.outcome],
        since=aside.at,
        reason=decision.reason,
        field=decision.field,
        detail=decision.detail,
        decision=decision,
        patient=decision.patient,
        facility=decision.facility,
        source=decision.source,
        service_date=decision.service_date,
        event_ids=(decision.event_id,),
        topic=aside.topic,
        partition=aside.partition,
        offset=aside.offset,
        received=decision.received,
        key=aside.key,
        value=aside.value,
        headers=aside.headers,
    )
