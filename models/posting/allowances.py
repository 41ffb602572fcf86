"""Allowances: what people say of the units of a key, of further ones and of those charged before go-live."""

from models.billing import Outcome, Reason
from models.entries import Opening, Override
from models.posting.books import Books
from models.posting.commands import answered, heard_before
from models.procedures import SEPARATOR


def allow(books: Books, entry: Override | Opening) -> None:
    if not heard_before(books, entry):
        carry_out(books, entry, entry.event_id)


def carry_out(books: Books, entry: Override | Opening, cause: str) -> None:
    """Let a command have its effect: at once, or once a person let it."""
    if books.too_old(entry.service_date):
        answered(books, entry, Outcome.REFUSED, Reason.NO_LONGER_KEPT, cause=cause)
        return
    day = books.days[entry.service_date]
    given = day.opening if isinstance(entry, Opening) else day.overrides
    if given.get(_key(entry), {}).get(entry.name) is False:
        answered(books, entry, Outcome.REFUSED, Reason.ALREADY_TAKEN_BACK, cause=cause)
        return
    set_units(books, entry, entry.stands, cause)
    answered(books, entry, Outcome.APPLIED, cause=cause)


def set_units(books: Books, entry: Override | Opening, stands: bool, cause: str) -> None:
    """Let what ``entry`` names stand, or not, and settle the units of its key."""
    key = _key(entry)
    day = books.days.change(entry.service_date)
    if isinstance(entry, Opening):
        why = Reason.OPENING_BALANCE
        day.opening = {**day.opening, key: {**day.opening.get(key, {}), entry.name: stands}}
    else:
        why = Reason.OVERRIDE
        day.overrides = {**day.overrides, key: {**day.overrides.get(key, {}), entry.name: stands}}
    books.leave(entry.service_date)
    books.settle([(entry.service_date, key)], (), cause, why)


def _key(entry: Override | Opening) -> str:
    return f"{entry.stream}{SEPARATOR}{entry.service}"
