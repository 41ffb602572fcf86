"""The state of a patient beside the patient-days: where each procedure stands, and what is no longer kept."""

from datetime import date

import msgspec

from models.schema import decoder

SCHEMA = 1


class Patient(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the ledger must know of a patient before it can tell which patient-days an event concerns."""

    schema: int = msgspec.field(default_factory=lambda: SCHEMA)
    """Written even though it is the default: a later version must be able to tell."""
    places: dict[str, date | None] = {}
    """By procedure key: the service date of the patient-day where the procedure stands."""
    expired_before: date | None = None
    """Retention watermark: service dates before it are no longer kept, and never charged."""


encode_patient = msgspec.json.Encoder().encode
decode_patient = decoder(Patient, "a patient", SCHEMA)
"""Raises ``NewerSchemaError`` or ``msgspec.ValidationError``."""
