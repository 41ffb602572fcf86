"""The clinical content of a message, which tells a correction from a resend."""

from datetime import date
from hashlib import sha256

import msgspec

from models.messages import Performed, ProcedureMessage

UNDATED = Performed()


class _Content(msgspec.Struct, omit_defaults=True):
    """The clinical content as stated. What is absent is left out: a new field changes no digest."""

    facility: str | None = None
    code: str | None = None
    charge_code: str | None = None
    description: str | None = None
    stream: str | None = None
    start: date | None = None
    end: date | None = None
    account_number: str | None = None
    encounter_number: str | None = None
    patient_class: str | None = None
    modifiers: tuple[str, ...] = ()
    revenue_code: str | None = None
    performers: tuple[tuple[str | None, str | None], ...] = ()
    products: tuple[str, ...] = ()


def digest(message: ProcedureMessage) -> str:
    """32 hex digits; a contract, since a resend must be known again after an upgrade."""
    performed = message.performed or UNDATED
    content = _Content(
        message.facility or None,
        message.code or None,
        message.charge_code or None,
        message.description or None,
        message.stream,
        performed.start,
        performed.end,
        message.account_number or None,
        message.encounter_number or None,
        message.patient_class or None,
        message.modifiers or (),
        message.revenue_code or None,
        tuple((performer.npi, performer.role) for performer in message.performers or ()),
        message.products or (),
    )
    return sha256(_encode(content)).hexdigest()[:32]


_encode = msgspec.json.Encoder().encode
