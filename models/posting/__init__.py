"""Posting: what one entry brings about in the ledger of one patient. The rule is ``models.patient_day``."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from models.billing import BillingEvent
from models.entries import (
    Acknowledgement,
    AnyEntry,
    Expiry,
    Handover,
    Moved,
    Opening,
    Override,
    Recall,
    Review,
    Ruling,
    Survivor,
    item_of,
)
from models.patient import Patient
from models.posting.acknowledgements import acknowledge, credits_a_claimed_charge
from models.posting.allowances import allow
from models.posting.books import Books, Posting, Read
from models.posting.merges import merge, recall, receive, review
from models.posting.moves import move
from models.posting.retention import expire
from models.posting.rulings import hold, park, rule
from models.posting.statements import state
from models.procedures import ProcedureEvent

__all__ = ["Posting", "post"]

_TAKE: Mapping[type[AnyEntry], Callable[[Books, Any], None]] = {
    ProcedureEvent: state,
    Override: allow,
    Opening: allow,
    Moved: move,
    Survivor: merge,
    Handover: receive,
    Recall: recall,
    Review: review,
    Acknowledgement: acknowledge,
    Ruling: lambda books, ruling: rule(books, ruling, take),
    Expiry: expire,
}


def post(patient: Patient, read: Read, entry: AnyEntry) -> Posting:
    """Apply ``entry`` to ``patient``, whose days ``read`` finds.

    Raises ``ValueError`` if a statement counts but lacks what a charge needs.
    """
    books = Books(patient, read, entry.patient)
    if patient.parked and item_of(entry) in patient.parked:
        # Whatever stands by now: it is for a person to decide.
        hold(books, entry)
        return books.posting()
    claimed = _of_what_waits(patient, read, entry)
    if claimed is None:
        take(books, entry)
        claimed = None if isinstance(entry, Ruling) else credits_a_claimed_charge(books)
    if claimed is not None:
        books = Books(patient, read, entry.patient)
        if item_of(entry) not in patient.ruled:
            park(books, entry, claimed)
    return books.posting()


def _of_what_waits(patient: Patient, read: Read, entry: AnyEntry) -> BillingEvent | None:
    """The credit for which a statement waits that ``entry`` restates: then that waits with it."""
    if not isinstance(entry, ProcedureEvent) or entry.command is None or entry.command in patient.commands:
        return None
    waiting = patient.parked.get(item_of(replace(entry, restated=0, command=None)))
    if waiting is None:
        return None
    books = Books(patient, read, entry.patient)
    take(books, waiting)
    return credits_a_claimed_charge(books)


def take(books: Books, entry: AnyEntry) -> None:
    """Let ``entry`` have its effect."""
    _TAKE[type(entry)](books, entry)
    if isinstance(entry, Handover):
        # Each an entry of its own: what it changes is the difference of before and after.
        books.out.sent += books.now_due(entry.name)
