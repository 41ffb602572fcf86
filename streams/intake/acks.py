"""Acks: one JSON object is one Ack. The schema is docs/schemas/ack.schema.json."""

from pydantic import ValidationError

from models.acks import Ack
from models.entries import Acknowledgement
from models.expected import problem
from models.facilities import Facilities
from models.messages import Unreadable


def take_in(value: bytes | None, facilities: Facilities, *, event_id: str) -> Acknowledgement:
    """The entry of one record. Raises ``Unreadable``, whose text names the field and repeats no value."""
    if not value:
        raise Unreadable("message", "a JSON object, not an empty record")
    try:
        ack = Ack.model_validate_json(value)
    except ValidationError as error:
        raise Unreadable(*problem(error)) from None
    return Acknowledgement(
        # As we wrote it, even where the facilities file knows its authority no more.
        patient=facilities.patient(ack.patient) or ack.patient,
        event_id=event_id,
        charge_id=ack.charge_id,
        status=ack.status,
        reason=ack.reason,
    )
