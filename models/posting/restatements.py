"""Restatements: a statement as changed settings resolve it takes the place of what it was."""

from datetime import date

from msgspec.structs import replace

from models.billing import Outcome
from models.entries import Ruling
from models.patient_day import decide
from models.posting.books import Books
from models.posting.commands import answered
from models.procedures import ProcedureEvent
from models.statements import Procedure


def restate(books: Books, event: ProcedureEvent, stands: date | None, before: Procedure) -> None:
    apply_restated(books, event, stands, before)
    answered(books, event, Outcome.APPLIED)


def apply_restated(books: Books, event: ProcedureEvent, stands: date | None, before: Procedure) -> None:
    books.take_verdict(decide(books.days, event, stands, before))
    books.stands(event.procedure, stands, before)


def release(books: Books, event: ProcedureEvent, ruling: Ruling) -> None:
    """It waited for a person, who let it have its effect."""
    stands = books.patient.places.get(event.procedure)
    before = books.days[stands].procedures.get(event.procedure)
    if before is not None:
        apply_restated(books, replace(event, because=ruling.event_id), stands, before)
    answered(books, event, Outcome.APPLIED, cause=ruling.event_id)
