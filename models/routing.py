"""Routing: where a person's command goes: to the ledger as an entry, or to whoever carries it out."""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models import links
from models.commands import (
    AllowUnit,
    Command,
    Discard,
    Forget,
    Merge,
    OpeningBalance,
    Redrive,
    Reject,
    Release,
    Restate,
    TakeBackUnit,
    UndoMerge,
)
from models.entries import AnyEntry, Expiry, Opening, Override
from models.facilities import Facilities
from models.filling import check
from models.links import encode_link
from models.messages import Unreadable
from models.procedures import SEPARATOR, ProcedureEvent

LINKS = b"links"
"""Key of all merges: one graph, in one partition."""
PATIENT = f"AUTHORITY{SEPARATOR}MRN of an assigning authority of the facilities file"


class To(StrEnum):
    """Who carries a command out, by the topic it goes to."""

    HELD = "held"
    DEAD_LETTERS = "dead_letters"
    IDENTIFIERS = "identifiers"


class Routed(NamedTuple):
    """A command on its way."""

    to: To
    key: bytes
    value: bytes


def route(command: Command, value: bytes, facilities: Facilities, *, event_id: str) -> AnyEntry | Routed:
    """The entry that ``command`` is to the ledger, or where else it goes.

    ``value`` is the command as it was received, ``event_id`` that of its record. Raises ``Unreadable``
    that names the field which cannot be used.
    """

    def patient(field: str) -> str:
        spelled = facilities.patient(getattr(command, field))
        if spelled is None:
            raise Unreadable(field, PATIENT)
        return spelled

    match command:
        case Release():
            check(command.fill)
            return Routed(To.HELD, command.item.encode(), value)
        case Reject():
            return Routed(To.HELD, command.item.encode(), value)
        case Redrive() | Discard():
            return Routed(To.DEAD_LETTERS, command.item.encode(), value)
        case AllowUnit() | TakeBackUnit() | OpeningBalance():
            return _unit(command, patient("patient"), event_id)
        case Merge() | UndoMerge():
            link = _link(command, patient("losing"), patient("surviving"), event_id)
            return Routed(To.IDENTIFIERS, LINKS, encode_link(link))
        case Forget():
            return Expiry(patient=patient("patient"), event_id=event_id, before=command.before)
        case Restate():
            return replace(
                _statement(command), because=event_id, command=command.id, restated=_milliseconds(command)
            )


def _unit(command: AllowUnit | TakeBackUnit | OpeningBalance, patient: str, event_id: str) -> AnyEntry:
    taken_back = isinstance(command, TakeBackUnit)
    kind = Opening if isinstance(command, OpeningBalance) else Override
    return kind(
        patient=patient,
        event_id=event_id,
        command=command.id,
        stream=command.stream,
        service=command.service,
        service_date=command.service_date,
        name=command.allowed_by if isinstance(command, TakeBackUnit) else command.id,
        stands=not taken_back,
    )


def _link(command: Merge | UndoMerge, losing: str, surviving: str, event_id: str) -> links.Merge | links.Undo:
    about = {"event_id": event_id, "id": command.id, "losing": losing, "surviving": surviving}
    if isinstance(command, Merge):
        return links.Merge(**about, time=_milliseconds(command))
    return links.Undo(**about, merge=command.merge)


def _milliseconds(command: Command) -> int:
    return int(command.time.timestamp() * 1000)


def _statement(command: Restate) -> ProcedureEvent:
    try:
        return msgspec.convert(command.statement, ProcedureEvent)
    except msgspec.ValidationError:
        # Its text may repeat what was sent.
        raise Unreadable("statement", "a ProcedureEvent") from None
