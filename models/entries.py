"""Entries: everything that the ledger takes in about a patient beside what sources state of procedures.

Each is keyed by the patient whose ledger takes it. ``event_id`` names the record that brought it about, a
command's, an acknowledgement's or another patient's statement: it is the cause of whatever follows.
"""

from datetime import date
from hashlib import sha256

import msgspec

from models.billing import Acknowledged, Decision
from models.codes import Service
from models.procedures import SEPARATOR, ProcedureEvent, Stream
from models.statements import Procedure
from models.units import Credited


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    patient: str
    event_id: str


class _Units(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """About the units of one key, told by a person."""

    command: str
    """Id of the command; the same id again changes nothing."""
    stream: Stream
    service: Service
    service_date: date
    name: str
    """What is given or taken back: the id of the command that gave it."""
    stands: bool = True
    """False takes it back, for good, whichever comes first."""


class Override(_Units, frozen=True, kw_only=True, omit_defaults=True, tag="override"):
    """A person allows a second unit of the key, or takes that back."""


class Opening(_Units, frozen=True, kw_only=True, omit_defaults=True, tag="opening"):
    """The system in use before go-live charged a unit of the key, or did not after all."""


class Moved(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="moved"):
    """Of ``identity``: whether another patient has a higher statement of the same procedure."""

    procedure: str
    """Key of the procedure: source, procedure id, stated patient."""
    away: bool
    at: int
    """Of two about one procedure the higher holds."""
    follows: int = 0
    """Sent on by home: the handover of the procedure that it follows on."""


class Survivor(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="survivor"):
    """Of the link graph: the patient whose charges those of ``patient`` are now; None: its own again."""

    survivor: str | None
    at: int
    """Of two about one patient the higher holds."""


class Handover(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="handover"):
    """A procedure of a merged patient, handed to the survivor or back home. One patient has it at a time."""

    name: str
    procedure: Procedure


class Recall(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="recall"):
    """Asks ``patient``, who has a procedure, to hand it over: home asks the survivor so far."""

    name: str
    hands: int
    """The last handover that it follows on: one that was answered before is not answered again."""
    to: str | None = None
    """Who asks; None: home."""
    before: date | None = None
    """What home no longer keeps stays where it is: its charge is not credited."""


class Review(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="review"):
    """A merge into ``patient`` was undone: list what was stated of it since, for a person to look through."""

    merge: str
    since: int
    """Milliseconds since the epoch."""


class Acknowledgement(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="acknowledgement"):
    """Billing says what it did with a charge."""

    charge_id: str
    status: Acknowledged
    reason: str | None = None
    """Refused: why, in billing's words."""


class Ruling(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="ruling"):
    """A person decided whether what would credit, or did credit, a charge on a claim is to be."""

    item: str
    apply: bool
    decided: int = 0
    """How many decisions there are about the command by which the person said so."""
    credited: Credited | None = None
    """What is to be taken back, where the procedure is with another patient by now."""
    follows: int = 0
    """Then: the handover of the procedure that it follows on."""
    restated: int = 0
    """Then: how many decisions there are about the command that restated what is to be taken back."""


class Expiry(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="expiry"):
    """Service dates before ``before`` are no longer kept, and never charged again."""

    before: date


AnyEntry = (
    ProcedureEvent
    | Override
    | Opening
    | Moved
    | Survivor
    | Handover
    | Recall
    | Review
    | Acknowledgement
    | Ruling
    | Expiry
)
"""What the ledger applies to a patient."""


def item_of(entry: AnyEntry) -> str:
    """Id on the worklist of an entry that waits for a person. It shows no patient's id.

    A statement may be on the worklist under its event id already: it was held before it was released.
    """
    match entry:
        case ProcedureEvent(command=None):
            return f"correction:{entry.event_id}"
        case ProcedureEvent():
            return f"correction:{entry.event_id}:{entry.command}"
        case Override() | Opening():
            return f"{type(entry).__name__.lower()}:{entry.command}"
        case Moved():
            return _named("moved", entry.procedure, entry.at)
        case Survivor():
            return _named("merge", entry.patient, entry.at)
        case Recall():
            return _named("recall", entry.name, entry.hands, entry.event_id)
    return entry.event_id


def _named(kind: str, *parts: object) -> str:
    return f"{kind}:{sha256(SEPARATOR.join(map(str, parts)).encode()).hexdigest()[:32]}"


encode_entry = msgspec.json.Encoder().encode
decode_entry = msgspec.json.Decoder(AnyEntry | Decision).decode
"""Of what comes to the ledger; a Decision is that of intake or of the worklist, to be passed on."""
