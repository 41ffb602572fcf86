"""Rulings: what would credit a charge that is on a claim waits whole, until a person decides."""

from collections.abc import Callable

from msgspec.structs import replace

from models.billing import BillingEvent, Outcome, Reason
from models.decisions import Truth
from models.entries import AnyEntry, Moved, Opening, Override, Ruling, Survivor, item_of
from models.patient_day import tell
from models.posting import merges, moves, restatements
from models.posting.allowances import carry_out
from models.posting.books import Books
from models.posting.commands import answered, heard_before, identify
from models.posting.retractions import retract
from models.procedures import ProcedureEvent
from models.units import Credited
from models.worklist import Item, Kind


def park(books: Books, entry: AnyEntry, credit: BillingEvent) -> None:
    """Keep ``entry`` whole, without any effect, until a person decides about ``credit``."""
    item = item_of(entry)
    books.patient = replace(books.patient, parked={**books.patient.parked, item: entry})
    books.out.items.append(
        Item(
            id=item,
            kind=Kind.CORRECTION,
            patient=books.name,
            facility=credit.facility,
            source=credit.procedure.source,
            service_date=credit.service_date,
            reason=Reason.ON_CLAIM,
            detail="it would credit a charge that is on a claim",
            event_ids=(entry.event_id,),
            charge_id=credit.charge_id,
        )
    )
    if isinstance(entry, Override | Opening | ProcedureEvent) and identify(entry):
        answered(books, entry, Outcome.HELD, Reason.ON_CLAIM)
    else:
        hold(books, entry)


def hold(books: Books, entry: AnyEntry) -> None:
    """Say that ``entry`` waits for a person, or repeats a command that does."""
    if not heard_before(books, entry) and isinstance(entry, ProcedureEvent):
        truth = Truth(Outcome.HELD, Reason.ON_CLAIM)
        day = books.patient.places[entry.procedure]
        books.out.made.append(tell(books.days, day, entry.procedure, entry, truth, entry.cause))


def rule(books: Books, ruling: Ruling, take: Callable[[Books, AnyEntry], None]) -> None:
    """``take`` applies what waited."""
    patient = books.patient
    if ruling.credited is not None:
        _retract(books, ruling.credited, ruling)
    elif ruling.item in patient.claimed:
        claimed = dict(patient.claimed)
        credited = claimed.pop(ruling.item)
        books.patient = replace(patient, claimed=claimed)
        books.ruled_on(ruling.item)
        if not ruling.apply:
            _retract(books, credited, ruling)
    elif ruling.item in patient.parked:
        parked = dict(patient.parked)
        waiting = parked.pop(ruling.item)
        books.patient = replace(patient, parked=parked)
        if ruling.apply:
            _release(books, waiting, ruling, take)
        else:
            books.ruled_on(ruling.item)
            _reject(books, waiting, ruling)
    elif ruling.item in patient.superseded:
        _refuse(books, ruling, patient.superseded[ruling.item])


def _retract(books: Books, credited: Credited, ruling: Ruling) -> None:
    if not retract(books, credited, ruling):
        _refuse(books, ruling, credited.cause)


def _refuse(books: Books, ruling: Ruling, cause: str) -> None:
    """There is nothing to rule on any more; the worklist may have said that the command was applied."""
    refused = (Outcome.REFUSED, Reason.SUPERSEDED)
    books.answer(ruling.event_id, ruling, *refused, sequence=ruling.decided + 1, cause=cause)


def _release(books: Books, entry: AnyEntry, ruling: Ruling, take: Callable[[Books, AnyEntry], None]) -> None:
    match entry:
        case Override() | Opening():
            carry_out(books, entry, ruling.event_id)
        case ProcedureEvent(command=None):
            take(books, replace(entry, because=ruling.event_id))
        case ProcedureEvent():
            restatements.release(books, entry, ruling)
        case _:
            take(books, replace(entry, event_id=ruling.event_id))


def _reject(books: Books, entry: AnyEntry, ruling: Ruling) -> None:
    """What waited never has its effect, not even when it is delivered again."""
    patient = books.patient
    match entry:
        case ProcedureEvent(command=None):
            name, day = entry.procedure, patient.places[entry.procedure]
            procedures = books.days.change(day).procedures
            if any(each.event_id == entry.event_id for each in procedures[name].statements):
                return  # restated meanwhile, and that holds
            procedures[name] = replace(procedures[name], rejected=[*procedures[name].rejected, entry])
            truth = Truth(Outcome.REJECTED, Reason.REJECTED_BY_PERSON)
            books.out.made.append(tell(books.days, day, name, entry, truth, ruling.event_id))
        case ProcedureEvent() | Override() | Opening():
            answered(books, entry, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, cause=ruling.event_id)
        case Moved() if entry.procedure in patient.places:
            moves.overtake(books, entry)
            procedures = books.days.change(patient.places[entry.procedure]).procedures
            procedure = procedures[entry.procedure]
            procedures[entry.procedure] = replace(procedure, moved_at=max(entry.at, procedure.moved_at))
        case Survivor():
            merges.overtake(books, entry)
            books.patient = replace(books.patient, survivor_at=max(entry.at, patient.survivor_at))
