"""Moves: one procedure that was stated of two patients counts for one of them."""

from datetime import date

from msgspec.structs import replace

from models.billing import Reason
from models.entries import Moved
from models.patient_day import others, put, tell
from models.posting.books import Books
from models.statements import Procedure


def move(books: Books, entry: Moved) -> None:
    name = entry.procedure
    overtake(books, entry)
    patient = books.patient
    if name not in patient.places:
        books.send_on(name, entry)
        return
    stands = patient.places[name]
    before = books.days[stands].procedures[name]
    if entry.at <= before.moved_at:
        return
    change_move(books, name, stands, before, entry.away, entry.at, entry.event_id)


def overtake(books: Books, entry: Moved) -> None:
    """Earlier moves of the same procedure that wait for a person have no effect any more."""
    books.supersede(
        lambda waiting: (
            isinstance(waiting, Moved) and waiting.procedure == entry.procedure and waiting.at < entry.at
        ),
        entry.event_id,
        Reason.SUPERSEDED,
    )


def change_move(
    books: Books, name: str, stands: date | None, before: Procedure, away: bool, at: int, cause: str
) -> None:
    after = replace(before, moved=away, moved_at=at, moved_by=cause if away else None)
    change = put(books.days, name, stands, before, after)
    written = books.settle(change.slots, (name,), cause, Reason.MOVED_TO_PATIENT, follow=False)
    holder = after.holder
    truth = books.days[stands].truth(name, holder.event_id)
    if truth != books.days.was(stands).truth(name, holder.event_id):
        books.out.made.append(tell(books.days, stands, name, holder, truth, cause, written))
    books.out.made += others(books.days, change.slots, (name,), cause, written)
