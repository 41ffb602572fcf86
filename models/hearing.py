"""Hearing: what a person's command does to an item of the worklist, and what is decided of it.

Pure. Whatever is sent again, or delivered again, changes nothing: an item remembers every command that it
heard, and what became of it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.commands import Command, Discard, Redrive, Reject, Release
from models.entries import AnyEntry, Ruling
from models.messages import Unreadable
from models.procedures import ProcedureEvent, place
from models.routing import Routed
from models.worklist import Heard, Item, Kind, State


class Again(NamedTuple):
    """A record of ours, sent to its own place again."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


Taken = AnyEntry | Decision | Routed | Again
"""What intake makes of a message, and so what a release or a redrive of one brings about."""
TakeIn = Callable[[Item, Release | Redrive], Sequence[Taken]]
"""What an item is today, with what the command says; of each message of its record one.

Raises ``Unreadable`` where it still cannot be read.
"""
RULED = (Kind.CORRECTION, Kind.CLAIMED)
"""Kinds that the ledger parked: a person's word on them goes to it."""
DEAD = (Redrive, Discard)
"""Commands on dead letters; the others are on what is held, and on alerts."""

_Done = tuple[Item, Sequence[Taken], Reason | None]
"""The item, what goes on its way, and why the command is refused if it is."""


class Hearing(msgspec.Struct, frozen=True):
    """What came of one command."""

    decision: Decision
    """Of the command itself."""
    item: Item | None = None
    """As it is now, if it changed."""
    taken: tuple[Taken, ...] = ()
    """What goes on its way: entries, and decisions on the events of the item."""
    heard: Heard | None = None
    """To be remembered by the command's id, where no item can remember it."""


def hear(
    item: Item | None,
    command: Command,
    event_id: str,
    take_in: TakeIn,
    *,
    before: Heard | None = None,
    decided: int = 0,
) -> Hearing:
    """What ``command``, of the record ``event_id``, does to ``item``.

    ``before`` is what was remembered of a command of that id without an item, ``decided`` how many decisions
    there are about this command already: it was a dead letter.
    """
    known = before or (item.heard.get(command.id) if item else None)
    if known is not None:
        if known.event_id == event_id:
            return Hearing(_decision(event_id, decided, known))
        return Hearing(_repeated(event_id, decided, known.event_id))
    if item is None or isinstance(command, DEAD) != (item.kind is Kind.DEAD_LETTER):
        unknown = Heard(event_id, Outcome.REFUSED, Reason.UNKNOWN_ITEM)
        return Hearing(_decision(event_id, decided, unknown), heard=unknown)
    if item.state is State.OPEN:
        changed, taken, refused = _carry_out(item, command, event_id, take_in, decided)
        heard = Heard(event_id, Outcome.REFUSED if refused else Outcome.APPLIED, refused)
    else:
        overtaken = item.state is State.SUPERSEDED
        changed, taken = item, ()
        why = (Reason.SUPERSEDED, None) if overtaken else (Reason.ALREADY_DONE, _dealt_with(item))
        heard = Heard(event_id, Outcome.REFUSED, *why)
    changed = replace(changed, heard={**item.heard, command.id: heard})
    return Hearing(_decision(event_id, decided, heard), changed, tuple(taken))


def _dealt_with(item: Item) -> str | None:
    """The event id of the command that was carried out last."""
    applied = [each.event_id for each in item.heard.values() if each.outcome is Outcome.APPLIED]
    return applied[-1] if applied else None


def _carry_out(item: Item, command: Command, event_id: str, take_in: TakeIn, decided: int) -> _Done:
    match command:
        case Release() if item.kind is Kind.HELD:
            return _release(item, command, event_id, take_in)
        case Release() | Reject() if item.kind in RULED:
            return _rule(item, event_id, decided + 1, apply=isinstance(command, Release))
        case Release():
            return item, (), Reason.STILL_HELD
        case Reject() if item.kind is Kind.HELD:
            return _turn_down(item, event_id, State.REJECTED)
        case Reject():
            return replace(item, state=State.REJECTED), (), None
        case Redrive():
            return _redrive(item, command, event_id, take_in)
        case Discard() if _awaited(item):
            return item, (), Reason.AWAITED
        case Discard():
            return _turn_down(item, event_id, State.DISCARDED)
        case _:
            raise TypeError(f"{type(command).__name__} is no command on the worklist")


def _awaited(item: Item) -> bool:
    """Whether it is what one agent of ours told another: whoever waits for it would wait for ever.

    Nothing else is named by the place of its record without having been received from a source.
    """
    topic, partition, offset, _ = place(item.id)
    own = (topic, partition, offset) == (item.topic, item.partition, item.offset)
    return own and item.received is None


def _release(item: Item, command: Release, event_id: str, take_in: TakeIn) -> _Done:
    try:
        [taken] = take_in(item, command)
    except Unreadable as error:
        taken = _next(item, Outcome.HELD, Reason.UNREADABLE, event_id)
        taken = replace(taken, field=error.field, detail=error.expected)
    taken = _after(item, taken, event_id)
    if isinstance(taken, Decision) and taken.outcome is Outcome.HELD:
        return _still(item, taken), (taken,), Reason.STILL_HELD
    return replace(item, state=State.RELEASED, decision=_latest(item, taken)), (taken,), None


def _redrive(item: Item, command: Redrive, event_id: str, take_in: TakeIn) -> _Done:
    item = replace(item, redriven=item.redriven + 1)
    try:
        taken = [_after(item, each, event_id) for each in take_in(item, command)]
    except Unreadable as error:
        failed = _next(item, Outcome.DEAD_LETTERED, Reason.UNREADABLE, event_id)
        failed = replace(failed, field=error.field, detail=error.expected)
        return _still(item, failed), (failed,), Reason.STILL_HELD
    last = _latest(item, *taken)
    return replace(item, state=State.REDRIVEN, decision=last), taken, None


def _turn_down(item: Item, event_id: str, state: State) -> _Done:
    decision = _next(item, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, event_id)
    return replace(item, state=state, decision=decision), (decision,), None


def _rule(item: Item, event_id: str, decided: int, *, apply: bool) -> _Done:
    assert item.patient is not None, "the ledger names the patient of what it parks"
    ruling = Ruling(patient=item.patient, event_id=event_id, item=item.id, apply=apply, decided=decided)
    return replace(item, state=State.RELEASED if apply else State.REJECTED), (ruling,), None


def _still(item: Item, decision: Decision) -> Item:
    """The item that stays open, with what is wrong with it now."""
    return replace(
        item, decision=decision, reason=decision.reason, field=decision.field, detail=decision.detail
    )


def _after(item: Item, taken: Taken, cause: str) -> Taken:
    """``taken`` as it follows on the decisions that there are about its event; ``cause`` brings it about."""
    if isinstance(taken, ProcedureEvent) and taken.command is None:
        return replace(taken, decided=decided(item, taken.event_id), because=cause)
    if isinstance(taken, Decision):
        return replace(taken, sequence=decided(item, taken.event_id) + 1, cause=cause)
    return taken


def decided(item: Item, event_id: str) -> int:
    """How many decisions there are about ``event_id``, which came of the record of ``item``."""
    if item.decision is None or item.decision.event_id != event_id:
        return 0
    return item.decision.sequence


def answered(item: Item, taken: Taken) -> str:
    """The event that is decided when ``taken`` has its effect."""
    match taken:
        case ProcedureEvent(command=str()):
            return taken.cause
        case Routed() | Again():
            return item.id
    return taken.event_id


def _latest(item: Item, *taken: Taken) -> Decision | None:
    own = [each for each in taken if isinstance(each, Decision) and each.event_id == item.id]
    return own[-1] if own else item.decision


def _next(item: Item, outcome: Outcome, reason: Reason, cause: str) -> Decision:
    """The decision that follows on the last one about the item's event."""
    last = item.decision or Decision(event_id=item.id, sequence=0, cause=item.id, outcome=outcome)
    return replace(
        last,
        sequence=last.sequence + 1,
        cause=cause,
        outcome=outcome,
        reason=reason,
        field=None,
        detail=None,
        repeated=False,
    )


def _decision(event_id: str, decided: int, heard: Heard) -> Decision:
    """Of the command itself. Without a patient: it lies beside the command's event, not the patient's."""
    return Decision(
        event_id=event_id,
        sequence=decided + 1,
        cause=event_id,
        outcome=heard.outcome,
        reason=heard.reason,
        of=heard.of,
    )


def _repeated(event_id: str, decided: int, first: str) -> Decision:
    return Decision(
        event_id=event_id, sequence=decided + 1, cause=event_id, outcome=Outcome.REPEATED, of=first
    )
