"""Retractions: what credited a charge, before it was said to be on a claim, is not to hold."""

from datetime import date

from msgspec.structs import replace

from models.billing import Outcome, Reason
from models.decisions import Truth
from models.entries import Recall, Ruling
from models.patient_day import changed_truths, others, put, tell
from models.posting.allowances import set_units
from models.posting.books import Books, home_of
from models.posting.commands import answered, told_of
from models.posting.merges import stay
from models.posting.moves import change_move
from models.procedures import ProcedureEvent
from models.statements import Procedure
from models.units import Credited


def retract(books: Books, credited: Credited, ruling: Ruling) -> bool:
    """Whether that could still be taken back: here, or by whom the procedure is with."""
    match credited.reason:
        case Reason.PATIENT_MERGED:
            return _unmerge(books, credited, ruling)
        case Reason.OVERRIDE | Reason.OPENING_BALANCE:
            return _give_again(books, credited, ruling)
    name = credited.procedure
    if name not in books.patient.places:
        restated = ruling.restated or told_of(books, credited.cause)
        return books.send_on(name, replace(ruling, credited=credited, restated=restated))
    once = f"retracted:{ruling.item}"
    if once in books.patient.ruled:
        return True
    books.ruled_on(once)
    day = books.patient.places[name]
    procedure = books.days[day].procedures[name]
    if credited.reason is Reason.MOVED_TO_PATIENT:
        if procedure.moved_by != credited.cause:
            return False
        change_move(books, name, day, procedure, False, procedure.moved_at, ruling.event_id)
        return True
    said = (*procedure.statements, *procedure.replaced, *procedure.resent)
    wrong = next((each for each in said if each.cause == credited.cause), None)
    return wrong is not None and _withdraw(books, name, day, procedure, wrong, ruling)


def _unmerge(books: Books, credited: Credited, ruling: Ruling) -> bool:
    """What left stays, or comes again; not if another merge holds by now, which nobody ruled against."""
    name, home = credited.procedure, home_of(credited.procedure)
    if home == books.name:
        if books.patient.survivor_by != credited.cause:
            return False
        stay(books, ruling.event_id)
        return True
    if name in books.patient.places:
        return False
    hands = books.patient.hands.get(name, 0)
    books.out.sent.append(
        Recall(patient=home, event_id=ruling.event_id, name=name, hands=hands, to=books.name)
    )
    return True


def _give_again(books: Books, credited: Credited, ruling: Ruling) -> bool:
    for heard in books.patient.commands.values():
        entry = heard.entry
        if heard.event_id == credited.cause and entry is not None and not books.too_old(entry.service_date):
            set_units(books, entry, not entry.stands, ruling.event_id)
            answered(books, entry, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, cause=ruling.event_id)
            return True
    return False


def _withdraw(
    books: Books,
    name: str,
    day: date | None,
    before: Procedure,
    wrong: ProcedureEvent,
    ruling: Ruling,
) -> bool:
    after, cause = before.reject(wrong), ruling.event_id
    if after is before:
        return False
    change = put(books.days, name, day, before, after)
    written = books.settle(change.slots, (name,), cause, change.corrected, follow=False)
    told: ProcedureEvent | None = wrong
    if wrong.command is not None:
        # The event itself is told what is true of it again.
        told = None
        rejected = (Outcome.REJECTED, Reason.REJECTED_BY_PERSON)
        answered(books, wrong, *rejected, cause=cause, told=ruling.restated)
    else:
        truth = Truth(Outcome.REJECTED, Reason.REJECTED_BY_PERSON)
        books.out.made.append(tell(books.days, change.there, name, wrong, truth, cause))
    books.out.made += changed_truths(books.days, change, told, cause, written)
    books.out.made += others(books.days, change.slots, (name,), cause, written)
    books.stands(name, day, before)
    return True
