"""The state of a patient beside the patient-days: where each procedure stands, and whose charges they are."""

from datetime import date

import msgspec

from models.billing import Outcome, Reason
from models.entries import AnyEntry, Opening, Override
from models.products import Products
from models.schema import decoder
from models.statements import Told
from models.units import Credited

SCHEMA = 1


class Away(msgspec.Struct, array_like=True, frozen=True):
    """Which patient has a procedure that was stated of this one, and after how many handovers."""

    patient: str
    hands: int


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command: the event that brought it, and its last decision."""

    event_id: str
    sequence: int
    outcome: Outcome
    reason: Reason | None = None
    entry: Override | Opening | None = None
    """What it gave or took back."""


class Patient(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the ledger must know of a patient before it can tell which patient-days an entry concerns."""

    schema: int = msgspec.field(default_factory=lambda: SCHEMA)
    """Written even though it is the default: a later version must be able to tell."""
    places: dict[str, date | None] = {}
    """By procedure key: the service date of the patient-day where the procedure stands."""
    left: tuple[date | None, ...] = ()
    """Days on which something was charged that stands elsewhere now."""
    expired_before: date | None = None
    """Retention watermark: service dates before it are no longer kept, and never charged."""
    gone: dict[str, int] = {}
    """By key of a procedure that is no longer kept: the highest number of any decision about it."""
    outdated: dict[str, dict[str, Told]] = {}
    """By procedure key and event: what was too old when it came; the procedure is not known otherwise."""
    forgotten: tuple[str, ...] = ()
    """Charges of days that are no longer kept: billing may yet acknowledge one, or once more."""
    commands: dict[str, Heard] = {}
    """By id of a command that was heard: what became of it."""
    survivor: str | None = None
    """Whom the patient was merged into, in the end."""
    survivor_at: int = 0
    """Of the last news of that."""
    survivor_by: str | None = None
    """The event that brought about what holds of that."""
    away: dict[str, Away] = {}
    """By procedure key: what was stated of this patient and is handed to another."""
    hands: dict[str, int] = {}
    """By procedure key: the last handover in either direction. A replay hands nothing over again."""
    early: dict[str, list[AnyEntry]] = {}
    """By procedure key: what follows on a handover that has not come; it may be a dead letter meanwhile."""
    ruled: tuple[str, ...] = ()
    """Items of the worklist that a person ruled on for good: nobody is asked about them again."""
    superseded: dict[str, str] = {}
    """By item of the worklist: what no longer waits for a person, and the event that brought that about."""
    parked: dict[str, AnyEntry] = {}
    """By item of the worklist: what would credit a charge that is on a claim, until a person decides."""
    claimed: dict[str, Credited] = {}
    """By item of the worklist: charges on a claim that were credited before billing said so."""
    products: Products = {}
    """Of what counts for it: see ``models.products``."""
    told: tuple[str, ...] = ()
    """Products that ``identity`` was told of."""


encode_patient = msgspec.json.Encoder().encode
decode_patient = decoder(Patient, "a patient", SCHEMA)
"""Raises ``NewerSchemaError`` or ``msgspec.ValidationError``."""
