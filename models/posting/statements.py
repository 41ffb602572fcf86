"""Statements: to whose ledger one belongs, and what it brings about there."""

from msgspec.structs import replace

from models.billing import Outcome, Reason
from models.decisions import Truth, decision
from models.patient_day import Made, decide
from models.posting.books import Books
from models.posting.commands import answered, heard_before
from models.posting.merges import send_over
from models.posting.restatements import restate
from models.procedures import ProcedureEvent
from models.products import changed, notices
from models.statements import Procedure, Told
from models.units import require


def state(books: Books, event: ProcedureEvent) -> None:
    name, patient = event.procedure, books.patient
    if heard_before(books, event) or (name not in patient.places and not begin(books, event)):
        return
    stands = patient.places.get(name, event.service_date)
    before = books.days[stands].procedures.get(name) if name in patient.places else None
    if before and event.again and event.event_id not in before.decisions:
        return
    if before and event.command is not None:
        restate(books, event, stands, before)
        return
    if event.event_id in patient.outdated.get(name, {}):
        event = replace(event, decided=patient.outdated[name][event.event_id].sequence)
    other = changed(patient.products, before.holder, None) if before else patient.products
    books.take_verdict(decide(books.days, event, stands, before, notices(other, event)))
    if name in patient.outdated:
        recall_numbers(books, name)
    books.stands(name, stands, before)
    answered(books, event, Outcome.APPLIED)


def recall_numbers(books: Books, name: str) -> None:
    """What was too old when it came is of a procedure that is kept: its decisions go on in number."""
    numbers = _take_outdated(books, name)
    for day in [*books.days.changed.values()]:
        if procedure := day.procedures.get(name):
            day.procedures[name] = replace(procedure, decisions=numbers | procedure.decisions)


def _take_outdated(books: Books, name: str) -> dict[str, Told]:
    outdated = dict(books.patient.outdated)
    numbers = outdated.pop(name, {})
    if numbers:
        books.patient = replace(books.patient, outdated=outdated)
    return numbers


def begin(books: Books, stated: ProcedureEvent) -> bool:
    """Whether a statement is the first of a procedure of this patient. If not, it is dealt with here."""
    name, patient = stated.procedure, books.patient
    if stated.stated_patient != books.name or name in patient.away:
        books.send_on(name, stated)
    elif name in patient.gone:
        expired(books, stated)
    elif stated.again and stated.event_id not in patient.outdated.get(name, {}):
        pass
    elif books.too_old(stated.service_date):
        outdated(books, stated)
    elif patient.survivor is not None:
        require(stated)
        begun = Procedure([stated], _take_outdated(books, name))
        send_over(books, name, books.with_news(begun, None), patient.survivor, stated.cause)
        answered(books, stated, Outcome.APPLIED)
    else:
        return True
    return False


def expired(books: Books, event: ProcedureEvent) -> None:
    """Of a procedure that is no longer kept: never charged, and numbered above all that was said of it."""
    if event.command is not None:
        answered(books, event, Outcome.REFUSED, Reason.NO_LONGER_KEPT)
        return
    gone = books.patient.gone
    sequence = max(gone[event.procedure], event.decided) + 1
    books.patient = replace(books.patient, gone={**gone, event.procedure: sequence})
    _say_expired(books, event, sequence)


def outdated(books: Books, event: ProcedureEvent) -> None:
    """Too old when it came. Its date may be a mistake, and be corrected: then it counts like any other."""
    if event.command is not None:
        answered(books, event, Outcome.REFUSED, Reason.NO_LONGER_KEPT)
        return
    numbers = books.patient.outdated.get(event.procedure, {})
    if event.event_id in numbers:
        sequence = numbers[event.event_id].sequence
    else:
        sequence = event.decided + 1
        told = Told(sequence, Outcome.EXPIRED)
        outdated = {**books.patient.outdated, event.procedure: {**numbers, event.event_id: told}}
        books.patient = replace(books.patient, outdated=outdated)
    _say_expired(books, event, sequence)


def _say_expired(books: Books, event: ProcedureEvent, sequence: int) -> None:
    said = decision(event, sequence, event.cause, Truth(Outcome.EXPIRED))
    books.out.made.append(Made(said, event, None))
