"""Rulings: what has no effect because a person has not ruled on it, or ruled against it.

What would credit a charge that is on a claim is parked until then. That it was parked is taken from the
decisions and the worklist: whether an acknowledgement came before it only the order of one log can tell.
"""

from collections.abc import Iterator, Mapping, Set
from types import UnionType

from msgspec.structs import replace

from models.account import Account
from models.billing import Decision, Outcome, Reason
from models.entries import Moved, Opening, Override, Recall, Ruling, Survivor, item_of
from models.history import content
from models.procedures import ProcedureEvent
from models.worklist import Kind, State


def rulings(account: Account) -> dict[str, bool]:
    """Whether it is to be, by the id of what was ruled on; the first ruling holds of those that came to the
    ledger where it waited last. None does on what had been superseded."""
    listed = {item.id: item for item in account.items}
    ruled: dict[str, bool] = {}
    for record in account.procedures:
        if isinstance(record, Ruling):
            item = listed.get(record.item)
            if item is None or (item.state is State.OPEN and item.patient == record.patient):
                ruled.setdefault(record.item, record.apply)
    return ruled


def on_claim(decision: Decision) -> bool:
    """Whether it says that its event is parked."""
    return decision.outcome is Outcome.HELD and decision.reason is Reason.ON_CLAIM


def parked(account: Account) -> set[str]:
    """The ids of all that was ever parked."""
    items = {item.id for item in account.items if item.kind is Kind.CORRECTION}
    held = {(decision.event_id, decision.cause) for decision in account.decisions if on_claim(decision)}
    statements = {
        item_of(statement)
        for statement in account.statements
        if (statement.event_id, statement.cause) in held
    }
    return items | statements


def rejected(account: Account) -> set[str]:
    """The ids of all that was ruled against; of a claimed charge what credited it is, too."""
    ruled = rulings(account)
    return {item for item, apply in ruled.items() if not apply} | {*_taken_back(account, ruled)}


def restated(account: Account, against: Set[str]) -> set[str]:
    """Restatements of what was ruled against: whatever settings make of a statement, it is not to be."""
    return {
        item_of(statement)
        for statement in account.statements
        if statement.restated and item_of(replace(statement, command=None)) in against
    }


def waiting(account: Account) -> set[str]:
    """The ids of all that is parked until somebody rules on it; not what went with a merged procedure."""
    last = {item.id: (item.state, item.reason) for item in account.items}
    gone = (State.SUPERSEDED, Reason.PATIENT_MERGED)
    merged = {item for item, becomes in last.items() if becomes == gone}
    return parked(account) - rulings(account).keys() - merged


def repeats(account: Account, latest: Mapping[str, Decision], out: Set[str]) -> set[str]:
    """Statements that were decided to repeat one of ``out``: they share its fate."""
    if not out:
        return set()
    said = {item_of(statement): statement for statement in account.statements}
    named = {statement.event_id: statement for statement in reversed(account.statements)}
    repeated = set()
    for name, statement in said.items():
        decision = latest.get(statement.event_id)
        if decision is None or decision.outcome is not Outcome.REPEATED:
            continue
        other = named.get(decision.of or "")
        if (
            other
            and item_of(other) in out
            and other.procedure == statement.procedure
            and content(other) == content(statement)
        ):
            repeated.add(name)
    return repeated


def _taken_back(account: Account, ruled: Mapping[str, bool]) -> Iterator[str]:
    """What credited a charge before billing said it is on a claim, and was ruled against."""
    for item in account.items:
        if item.kind is not Kind.CLAIMED or ruled.get(item.id, True):
            continue
        credited = [event for event in account.billing_events if event.reverses == item.charge_id]
        for record in account.procedures:
            if isinstance(record, Decision):
                continue
            cause = record.cause if isinstance(record, ProcedureEvent) else record.event_id
            if record.patient == item.patient and any(
                credit.cause == cause and isinstance(record, _BROUGHT_BY.get(credit.reason, ProcedureEvent))
                for credit in credited
            ):
                yield item_of(record)


_BROUGHT_BY: Mapping[Reason, type | UnionType] = {
    Reason.MOVED_TO_PATIENT: Moved,
    Reason.PATIENT_MERGED: Survivor | Recall,
    Reason.OVERRIDE: Override,
    Reason.OPENING_BALANCE: Opening,
}
"""What credits a charge for this reason; a statement for any other. One event may be the cause of both."""


def unmoved(account: Account, out: Set[str]) -> set[str]:
    """Procedures whose latest move has no effect."""
    moves: dict[str, Moved] = {}
    for record in account.procedures:
        if isinstance(record, Moved) and record.at >= moves.get(record.procedure, record).at:
            moves[record.procedure] = record
    return {procedure for procedure, move in moves.items() if item_of(move) in out}


def unmerged(account: Account, out: Set[str]) -> dict[str, str]:
    """Patients whose latest merge, or its undoing, has no effect; and whose charges theirs are instead."""
    links: dict[str, list[Survivor]] = {}
    for record in account.procedures:
        if isinstance(record, Survivor):
            links.setdefault(record.patient, []).append(record)
    instead = {}
    for patient, told in links.items():
        told.sort(key=lambda link: link.at)
        effective = [link for link in told if item_of(link) not in out]
        if effective[-1:] != told[-1:]:
            instead[patient] = (effective[-1].survivor if effective else None) or patient
    return instead


def stays(account: Account, out: Set[str]) -> dict[str, str]:
    """Procedures that a survivor was asked for last, and keeps because that has no effect; and who keeps
    them."""
    asked: dict[tuple[str, str], Recall] = {}
    for record in account.procedures:
        if isinstance(record, Recall):
            asked[record.patient, record.name] = record
    return {name: patient for (patient, name), recall in asked.items() if item_of(recall) in out}
