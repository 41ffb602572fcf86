"""Retractions: what credited a charge, before it was said to be on a claim, is not to hold."""

from datetime import date

from models.billing import Outcome, Reason
from models.decisions import Truth
from models.entries import Recall, Ruling
from models.patient_day import changed_truths, others, put, tell
from models.posting.allowances import set_units
from models.posting.books import Books, home_of
from models.posting.commands import answered
from models.posting.merges import stay
from models.posting.moves import change_move
from models.procedures import ProcedureEvent
from models.statements import Procedure
from models.units import Credited


def retract(books: Books, credited: Credited, ruling: Ruling) -> None:
    match credited.reason:
        case Reason.PATIENT_MERGED:
            _unmerge(books, credited, ruling)
        case Reason.OVERRIDE | Reason.OPENING_BALANCE:
            _give_again(books, credited, ruling)
        case _:
            _retract_statement(books, credited, ruling)


def _unmerge(books: Books, credited: Credited, ruling: Ruling) -> None:
    """What left stays, or comes again; not if another merge holds by now, which nobody ruled against."""
    name, home = credited.procedure, home_of(credited.procedure)
    if home == books.name:
        if books.patient.survivor_by == credited.cause:
            stay(books, ruling.event_id)
    elif name not in books.patient.places:
        hands = books.patient.hands.get(name, 0)
        books.out.sent.append(
            Recall(patient=home, event_id=ruling.event_id, name=name, hands=hands, to=books.name)
        )


def _give_again(books: Books, credited: Credited, ruling: Ruling) -> None:
    for heard in books.patient.commands.values():
        entry = heard.entry
        if heard.event_id == credited.cause and entry is not None and not books.too_old(entry.service_date):
            set_units(books, entry, not entry.stands, ruling.event_id)
            answered(books, entry, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, cause=ruling.event_id)
            return


def _retract_statement(books: Books, credited: Credited, ruling: Ruling) -> None:
    """The statement that credited the charge: of its procedure, or of another that gave up a lower unit."""
    name, patient = credited.procedure, books.patient
    if name in patient.away:
        to = patient.away[name].patient
        books.out.sent.append(
            Ruling(patient=to, event_id=ruling.event_id, item=ruling.item, apply=False, credited=credited)
        )
        return
    if credited.reason is Reason.MOVED_TO_PATIENT:
        _unmove(books, name, ruling)
        return
    for other, day in patient.places.items():
        procedure = books.days[day].procedures[other]
        said = (*procedure.statements, *procedure.replaced)
        wrong = next((each for each in said if each.cause == credited.cause), None)
        if wrong is not None:
            _withdraw(books, other, day, procedure, wrong, ruling)
            return
    if name not in patient.places:
        return
    day = patient.places[name]
    procedure = books.days[day].procedures[name]
    if not procedure.holder.counts:
        # A resend uncovered what holds now: it is that which would have waited.
        _withdraw(books, name, day, procedure, procedure.holder, ruling)


def _unmove(books: Books, name: str, ruling: Ruling) -> None:
    """It counts again here, too, unless that was settled otherwise since then."""
    if name not in books.patient.places:
        return
    day = books.patient.places[name]
    procedure = books.days[day].procedures[name]
    if procedure.moved:
        change_move(books, name, day, procedure, False, procedure.moved_at, ruling.event_id)


def _withdraw(
    books: Books,
    name: str,
    day: date | None,
    before: Procedure,
    wrong: ProcedureEvent,
    ruling: Ruling,
) -> None:
    after, cause = before.reject(wrong), ruling.event_id
    if after is before:
        return
    change = put(books.days, name, day, before, after)
    written = books.settle(change.slots, (name,), cause, change.corrected, follow=False)
    told: ProcedureEvent | None = wrong
    if wrong.command is not None:
        # The event itself is told what is true of it again.
        told = None
        answered(books, wrong, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, cause=cause)
    else:
        truth = Truth(Outcome.REJECTED, Reason.REJECTED_BY_PERSON)
        books.out.made.append(tell(books.days, change.there, name, wrong, truth, cause))
    books.out.made += changed_truths(books.days, change, told, cause, written)
    books.out.made += others(books.days, change.slots, (name,), cause, written)
    books.stands(name, day, before)
