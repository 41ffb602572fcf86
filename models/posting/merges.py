"""Merges: a patient's procedures are handed to the one it was merged into, and back if that is undone.

A procedure is with one patient at a time, whole: what was said of it, and how often it was decided about.
So no two ledgers charge it, and no two number its decisions. Home alone hands it on; what comes for it
elsewhere is sent home, and from there to whom it is with.
"""

from collections.abc import Collection
from functools import partial

from msgspec.structs import replace

from models.billing import Outcome, Reason
from models.decisions import Truth
from models.entries import AnyEntry, Handover, Recall, Review, Survivor
from models.patient import Away
from models.patient_day import Slot, others, put, slot, tell, told
from models.posting.books import Books, home_of
from models.posting.commands import answered
from models.procedures import ProcedureEvent
from models.statements import Procedure
from models.worklist import Item, Kind


def merge(books: Books, entry: Survivor) -> None:
    patient = books.patient
    if entry.at <= patient.survivor_at:
        return
    overtake(books, entry)
    books.patient = patient = replace(
        books.patient, survivor=entry.survivor, survivor_at=entry.at, survivor_by=entry.event_id
    )
    for name, away in patient.away.items():
        if away.patient != entry.survivor:
            books.out.sent.append(_recalling(books, name, away, entry.event_id))
    if entry.survivor is not None:
        own = [name for name in patient.places if home_of(name) == books.name]
        hand_over(books, own, entry.survivor, entry.event_id)


def overtake(books: Books, entry: Survivor) -> None:
    """Earlier news of the same merges that wait for a person have no effect any more."""
    books.supersede(
        lambda waiting: isinstance(waiting, Survivor) and waiting.at < entry.at,
        entry.event_id,
        Reason.SUPERSEDED,
    )


def stay(books: Books, cause: str) -> None:
    """What was stated of this patient stays here, whoever it was merged into, until other news of that."""
    books.patient = replace(books.patient, survivor=None)
    for name, away in books.patient.away.items():
        books.out.sent.append(_recalling(books, name, away, cause))


def _recalling(books: Books, name: str, away: Away, cause: str) -> Recall:
    return Recall(
        patient=away.patient,
        event_id=cause,
        name=name,
        hands=away.hands,
        before=books.patient.expired_before,
    )


def recall(books: Books, entry: Recall) -> None:
    place = books.patient.places
    if entry.name not in place:
        if home_of(entry.name) != books.name:
            books.too_early(entry.name, entry.hands, entry)
    else:
        day = place[entry.name]
        procedure = books.days[day].procedures[entry.name]
        forgotten = day and entry.before and day < entry.before
        if procedure.hands == entry.hands and not forgotten:
            hand_over(books, [entry.name], entry.to or home_of(entry.name), entry.event_id)


def hand_over(books: Books, names: Collection[str], to: str, cause: str) -> None:
    """Procedures leave, and what they were charged is credited: all in one, so that none takes another's."""
    leaving: dict[str, Procedure] = {}
    slots: dict[Slot, None] = {}
    places = dict(books.patient.places)
    for name in names:
        day = places.pop(name)
        leaving[name] = books.days.change(day).procedures.pop(name)
        books.note_products(leaving[name].holder, None)
        counted = slot(day, leaving[name])
        if counted:
            slots[counted] = None
        books.leave(day)
    books.patient = replace(books.patient, places=places)
    written = books.settle(slots, leaving, cause, Reason.PATIENT_MERGED, follow=False)
    for name, procedure in leaving.items():
        truth = Truth(Outcome.MERGED, Reason.PATIENT_MERGED)
        procedure, made = told(procedure, name, procedure.holder, truth, cause, written)
        books.out.made.append(made)
        procedure, waiting = let_go(books, name, procedure, to, cause)
        send_over(books, name, procedure, to, cause)
        books.out.sent += waiting
    books.out.made += others(books.days, slots, leaving, cause, written)


def send_over(books: Books, name: str, procedure: Procedure, to: str, cause: str) -> None:
    patient = books.patient
    hands = max(procedure.hands, patient.hands.get(name, 0)) + 1
    statements, replaced = (
        [replace(statement, patient=to) for statement in said]
        for said in (procedure.statements, procedure.replaced)
    )
    procedure = replace(procedure, statements=statements, replaced=replaced, hands=hands)
    books.out.sent.append(Handover(patient=to, event_id=cause, name=name, procedure=procedure))
    away = patient.away
    if home_of(name) == books.name:
        away = {**away, name: Away(to, hands)}
    books.patient = replace(patient, hands={**patient.hands, name: hands}, away=away)


def let_go(
    books: Books, name: str, procedure: Procedure, to: str, cause: str
) -> tuple[Procedure, list[ProcedureEvent]]:
    """The procedure that leaves, and what waited about it and follows: no charge is on a claim there yet."""
    following = []
    hands = max(procedure.hands, books.patient.hands.get(name, 0)) + 1
    for entry in books.supersede(partial(_about, name), cause, Reason.PATIENT_MERGED):
        if not isinstance(entry, ProcedureEvent):
            continue
        if entry.command is not None:
            procedure = procedure.hear(entry)
            answered(books, entry, Outcome.APPLIED, cause=cause)
        else:
            following.append(replace(entry, patient=to, follows=hands))
    return procedure, following


def _about(name: str, entry: AnyEntry) -> bool:
    """Whether it is a statement about a procedure, or asks for it."""
    match entry:
        case ProcedureEvent():
            return entry.procedure == name
        case Recall():
            return entry.name == name
    return False


def receive(books: Books, entry: Handover) -> None:
    name, procedure, patient = entry.name, entry.procedure, books.patient
    if procedure.hands <= patient.hands.get(name, 0):
        return
    away = {other: where for other, where in patient.away.items() if other != name}
    books.patient = patient = replace(patient, hands={**patient.hands, name: procedure.hands}, away=away)
    if not procedure.statements:
        highest = max((told.sequence for told in procedure.decisions.values()), default=0)
        books.patient = replace(patient, gone={**patient.gone, name: highest})
        return
    if home_of(name) == books.name and patient.survivor is not None:
        send_over(books, name, procedure, patient.survivor, entry.event_id)
        return
    change = put(books.days, name, None, None, procedure)
    why = Reason.PATIENT_MERGED if procedure.decisions else None
    written = books.settle(change.slots, (name,), entry.event_id, why, follow=False)
    for statement in procedure.statements:
        if statement is procedure.holder or statement.event_id not in procedure.decisions:
            truth = books.days[change.there].truth(name, statement.event_id)
            cause = entry.event_id if procedure.decisions else statement.cause
            books.out.made.append(tell(books.days, change.there, name, statement, truth, cause, written))
    books.out.made += others(books.days, change.slots, (name,), entry.event_id, written)
    books.patient = replace(patient, places={**patient.places, name: change.there})
    books.note_products(None, procedure.holder)


def review(books: Books, entry: Review) -> None:
    """What was stated of this patient while another was merged into it may be the other's."""
    since = [
        statement.event_id
        for name, day in books.patient.places.items()
        if home_of(name) == books.name
        for statement in books.days[day].procedures[name].statements
        if statement.received >= entry.since
    ]
    if since:
        books.out.items.append(
            Item(
                id=f"unmerged:{entry.merge}",
                kind=Kind.ALERT,
                patient=books.name,
                detail="stated of the surviving patient while the merge held: whose are they?",
                event_ids=tuple(sorted(since)),
            )
        )
