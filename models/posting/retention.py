"""Retention: what is older than a date is no longer kept, and never charged again."""

from collections.abc import Container

from msgspec.structs import replace

from models.billing import Outcome, Reason
from models.decisions import Truth
from models.entries import AnyEntry, Expiry, Opening, Override
from models.patient_day import told
from models.posting.books import Books, home_of
from models.posting.commands import answered
from models.posting.merges import send_over
from models.procedures import ProcedureEvent


def expire(books: Books, entry: Expiry) -> None:
    """Forget days. Of each procedure stays the highest number of its decisions, with whom it is at home; of
    each charge its id."""
    patient, before = books.patient, entry.before
    books.answer(entry.event_id, entry, Outcome.APPLIED)
    places, gone = dict(patient.places), dict(patient.gone)
    old = {day for day in (*places.values(), *patient.left) if day and day < before}
    forgotten = [name for name, day in places.items() if day in old]
    waiting = _drop_waiting(books, forgotten, entry)
    for name in forgotten:
        procedure = books.days[places.pop(name)].procedures[name]
        books.note_products(procedure.holder, None)
        for event in waiting:
            if event.procedure == name:
                procedure, made = told(procedure, name, event, Truth(Outcome.EXPIRED), entry.event_id)
                books.out.made.append(made)
        if home_of(name) == books.name:
            gone[name] = max(said.sequence for said in procedure.decisions.values())
        else:
            send_over(books, name, replace(procedure, statements=[]), home_of(name), entry.event_id)
    charges = [charge for day in sorted(old) for charge in books.days[day].charge_ids]
    books.out.removed = sorted(old)
    books.patient = replace(
        books.patient,
        places=places,
        gone=gone,
        left=tuple(day for day in patient.left if day not in old),
        forgotten=(*patient.forgotten, *charges),
        expired_before=max(before, patient.expired_before or before),
    )


def _drop_waiting(books: Books, forgotten: Container[str], entry: Expiry) -> list[ProcedureEvent]:
    """What waited for a person about what is forgotten has no effect; its statements, to be told so."""

    def is_forgotten(waiting: AnyEntry) -> bool:
        match waiting:
            case ProcedureEvent():
                return waiting.procedure in forgotten
            case Override() | Opening():
                return waiting.service_date < entry.before
        return False

    statements = []
    for waiting in books.supersede(is_forgotten, entry.event_id, Reason.NO_LONGER_KEPT):
        match waiting:
            case ProcedureEvent(command=None):
                statements.append(waiting)
            case ProcedureEvent() | Override() | Opening():
                answered(books, waiting, Outcome.REFUSED, Reason.NO_LONGER_KEPT, cause=entry.event_id)
    return statements
