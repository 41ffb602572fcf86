"""Answers: whether what people and billing were told about their commands and acknowledgements is true."""

from collections.abc import Iterator, Mapping, Set

from models.account import Account, Spoken
from models.billing import Decision, Outcome, Reason
from models.commands import (
    AllowUnit,
    Command,
    Discard,
    Forget,
    Merge,
    OpeningBalance,
    Redrive,
    Reject,
    Release,
    Restate,
    TakeBackUnit,
    UndoMerge,
)
from models.entries import Acknowledgement, Expiry, Opening, Override, Ruling, item_of
from models.findings import Figure, Finding
from models.procedures import ProcedureEvent
from models.reading import entries, merged
from models.rulings import on_claim
from models.survivors import against
from models.told import Told

ANSWERS = frozenset({Outcome.APPLIED, Outcome.REPEATED, Outcome.REFUSED, Outcome.DEAD_LETTERED})
"""What may become of a command or an acknowledgement."""


def answers(account: Account, told: Told, latest: Mapping[str, Decision]) -> Iterator[Finding]:
    """All that is wrong with what was told about commands and acknowledgements, and with what was made
    of commands on their way."""
    yield from _commands(account, told, latest)
    yield from _passed_on(account)
    yield from _acknowledgements(account, told, latest)


def _commands(account: Account, told: Told, latest: Mapping[str, Decision]) -> Iterator[Finding]:
    if not account.commands:
        return
    effects = _effects(account)
    by_event = {spoken.event_id: spoken for spoken in account.commands}
    applied: dict[tuple[str, object], str] = {}
    for event_id, spoken in by_event.items():
        decision = latest.get(event_id)
        if decision is None:
            yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
            continue
        if wrong := _untrue(decision, spoken, by_event, told, effects):
            yield Finding(Figure.UNEXPLAINED, event_id, f"{decision.outcome}, but {wrong}")
        if spoken.command is not None and decision.outcome is Outcome.APPLIED:
            name = (spoken.command.id, _target(spoken.command))
            if applied.setdefault(name, event_id) != event_id:
                yield Finding(Figure.DOUBLED, event_id, "is a command that was applied before")


def _untrue(
    decision: Decision,
    spoken: Spoken,
    by_event: Mapping[str, Spoken],
    told: Told,
    effects: Mapping[str, set[str]],
) -> str | None:
    command = spoken.command
    if decision.outcome is Outcome.DEAD_LETTERED:
        return "it can be read" if command is not None and spoken.normal else None
    if command is None:
        return "it cannot be read"
    if decision.outcome is Outcome.REPEATED:
        other = by_event.get(decision.of or "")
        same = other is not None and other.command is not None and other.command.id == command.id
        return None if same and decision.of != spoken.event_id else "it names no other record of its command"
    if on_claim(decision):
        return None if _parked(spoken, told, told.parked) else "nothing of it is parked"
    if decision.outcome is Outcome.REJECTED:
        return None if _parked(spoken, told, told.rejected) else "nobody ruled against it"
    if isinstance(command, Merge):
        return _merge(decision, command, told)
    if decision.outcome not in ANSWERS:
        return "that cannot become of a command"
    done = effects.get(spoken.event_id, set())
    if decision.outcome is Outcome.REFUSED:
        return _refused(decision, command, done, told)
    return None if _done(command, done) else "it has had no effect"


def _merge(decision: Decision, command: Merge, told: Told) -> str | None:
    match decision.outcome:
        case Outcome.REFUSED:
            return None if against(merged(command), told.merges) else "nothing is against it"
        case Outcome.UNDONE:
            return None if command.id in told.undone else "nobody undid it"
        case Outcome.APPLIED if command.id in told.undone:
            return "it was undone"
        case Outcome.APPLIED:
            holds = any(merge.name == command.id for merge in told.merged.values())
            return None if holds else "it would close a circle, or its losing patient is merged already"
        case _:
            return "that cannot become of a merge"


def _refused(decision: Decision, command: Command, done: set[str], told: Told) -> str | None:
    """Why ``command`` cannot be refused, None where it can."""
    match decision.reason:
        case Reason.NO_LONGER_KEPT:
            return None if told.watermarks else "nothing was forgotten"
        case Reason.SUPERSEDED:
            return "it had an effect" if done & {"charged", "rejected"} else None
    if done & {"ruling", "taken_in", "rejected"}:
        return "it had an effect"
    match command:
        case AllowUnit():
            back = {unit.name for unit in told.units if isinstance(unit, Override) and not unit.stands}
            return None if command.id in back else "nothing is against it"
        case OpeningBalance():
            return "nothing is against it"
        case _:
            return None


def _done(command: Command, done: set[str]) -> bool:
    """Whether what is known to have come of ``command`` is what should."""
    match command:
        case Release():
            return bool(done & {"ruling", "taken_in"})
        case Reject():
            return bool(done & {"ruling", "rejected", "closed"})
        case Redrive():
            return bool(done & {"taken_in", "decided_again"})
        case Restate():
            return "taken_in" in done
        case AllowUnit() | TakeBackUnit() | OpeningBalance() | Forget():
            return "entry" in done
        case _:
            return True


def _effects(account: Account) -> dict[str, set[str]]:
    """What came of each command, by its event id."""
    effects: dict[str, set[str]] = {}
    listed = {item.id for item in account.items}
    # Of what only our agents told each other, under the place of its record, nothing more is decided.
    again = {
        made.event_id
        for made in account.decisions
        if made.sequence > 1 or (made.outcome is Outcome.DEAD_LETTERED and made.received is None)
    }
    for event_id, effect in (
        *((record.event_id, "ruling") for record in account.procedures if isinstance(record, Ruling)),
        *(
            (record.event_id, "entry")
            for record in account.procedures
            if isinstance(record, Override | Opening | Expiry)
        ),
        *((statement.because or "", "taken_in") for statement in account.statements),
        *((written.cause, "charged") for written in account.billing_events),
        *((made.cause, "rejected") for made in account.decisions if made.outcome is Outcome.REJECTED),
        *((made.cause, "taken_in") for made in account.decisions if made.outcome is Outcome.NOT_OURS),
        *(
            (spoken.event_id, "closed")
            for spoken in account.commands
            if isinstance(spoken.command, Reject) and spoken.command.item in listed
        ),
        *(
            # Not by this redrive perhaps: one that is refused has its record decided once more, too.
            (spoken.event_id, "decided_again")
            for spoken in account.commands
            if isinstance(spoken.command, Redrive) and spoken.command.item in again
        ),
    ):
        effects.setdefault(event_id, set()).add(effect)
    return effects


def _parked(spoken: Spoken, told: Told, ids: Set[str]) -> bool:
    """Whether what came of a command is among ``ids``."""
    restated = {item_of(each) for each in told.statements if each.because == spoken.event_id}
    name = spoken.command.id if spoken.command else ""
    return not ids.isdisjoint({f"override:{name}", f"opening:{name}", *restated})


def _target(command: Command) -> object:
    """Who hears a command: each tells the same command apart from another by its id."""
    match command:
        case AllowUnit() | TakeBackUnit() | OpeningBalance() | Forget():
            return command.patient
        case Release() | Reject() | Redrive() | Discard():
            return command.item
        case Merge() | UndoMerge():
            return "links"
        case _:
            return None


def _passed_on(account: Account) -> Iterator[Finding]:
    """Every entry that a command brings about says what the command says."""
    by_event = {spoken.event_id: spoken for spoken in account.commands}
    for statement in account.statements:
        if statement.because is not None and not _brings_in(by_event.get(statement.because), statement):
            yield Finding(Figure.UNEXPLAINED, statement.event_id, "was taken in, but nobody commanded it")
    for record in account.procedures:
        if not isinstance(record, Override | Opening | Expiry | Ruling):
            continue
        spoken = by_event.get(record.event_id)
        if spoken is None or spoken.command is None:
            yield Finding(Figure.UNEXPLAINED, record.event_id, "was passed on, but nobody commanded it")
        elif isinstance(record, Ruling):
            wanted = (Release if record.apply else Reject), record.item
            if not isinstance(spoken.command, wanted[0]) or spoken.command.item != wanted[1]:
                yield Finding(Figure.UNEXPLAINED, record.event_id, "was passed on as another ruling")
        elif record not in entries(spoken):
            yield Finding(Figure.UNEXPLAINED, record.event_id, "was passed on as another command")


def _brings_in(spoken: Spoken | None, statement: ProcedureEvent) -> bool:
    match spoken.command if spoken else None:
        case Release(item=item):
            return item == statement.event_id
        case Redrive(item=item):
            return item.rpartition(":")[0] == statement.event_id.rpartition(":")[0]
        case Restate(statement=restated):
            return bool(restated.get("event_id") == statement.event_id and statement.restated)
        case _:
            return False


def _acknowledgements(account: Account, told: Told, latest: Mapping[str, Decision]) -> Iterator[Finding]:
    """An unknown charge of a patient of whom something was forgotten may be one that was."""
    acknowledged = {
        record.event_id: record for record in account.procedures if isinstance(record, Acknowledgement)
    }
    charges = {event.charge_id for event in account.billing_events}
    for event_id, record in acknowledged.items():
        decision = latest.get(event_id)
        if decision is None:
            yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
            continue
        match decision.outcome:
            case Outcome.APPLIED:
                known = record.charge_id in charges or record.patient in told.watermarks
                wrong = None if known else "there is no such charge"
            case Outcome.REFUSED:
                wrong = "there is such a charge" if record.charge_id in charges else None
            case Outcome.REPEATED:
                other = acknowledged.get(decision.of or "")
                named = other and (other.charge_id, other.status) == (record.charge_id, record.status)
                wrong = None if named and decision.of != event_id else "it names no other of the same"
            case _:
                wrong = "that cannot become of an acknowledgement"
        if wrong:
            yield Finding(Figure.UNEXPLAINED, event_id, f"{decision.outcome}, but {wrong}")
