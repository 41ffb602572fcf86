"""Commands: one that was heard has no effect again, in whatever record and for whatever day it comes."""

from msgspec.structs import replace

from models.billing import Outcome, Reason
from models.entries import AnyEntry, Opening, Override
from models.patient import Heard
from models.posting.books import Books
from models.procedures import ProcedureEvent

Commanded = Override | Opening | ProcedureEvent
"""What a command becomes at the ledger; a statement if it restates one."""


def identify(entry: AnyEntry) -> tuple[str, str] | None:
    """Id and event id of the command that ``entry`` is; None if it is none that is remembered."""
    match entry:
        case Override() | Opening():
            return entry.command, entry.event_id
        case ProcedureEvent(command=str(command), because=str(event_id)):
            return command, event_id
    return None


def heard_before(books: Books, entry: AnyEntry) -> bool:
    """Whether the command had its effect already; then it is answered as it was."""
    command = identify(entry)
    heard = books.patient.commands.get(command[0]) if command else None
    if command is None or heard is None:
        return False
    if heard.event_id != command[1]:
        books.answer(command[1], entry, Outcome.REPEATED, of=heard.event_id)
    elif heard.sequence == 1:
        books.answer(command[1], entry, heard.outcome, heard.reason)
    return True


def answered(
    books: Books,
    entry: Commanded,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    cause: str | None = None,
    told: int = 0,
) -> None:
    """Answer a command, and remember that.

    ``cause``: what brought that about, if not the command itself. ``told``: how many decisions about it there
    are of another patient's ledger.
    """
    command = identify(entry)
    if command is None:
        return
    name, event_id = command
    before = books.patient.commands.get(name)
    sequence = max(before.sequence if before else 0, told) + 1
    kept = entry if isinstance(entry, Override | Opening) else None
    heard = Heard(event_id, sequence, outcome, reason, kept)
    books.patient = replace(books.patient, commands={**books.patient.commands, name: heard})
    books.answer(event_id, entry, outcome, reason, sequence=sequence, cause=cause)


def told_of(books: Books, event_id: str) -> int:
    """How many decisions there are about the command of that event."""
    heard = books.patient.commands.values()
    return next((each.sequence for each in heard if each.event_id == event_id), 0)
