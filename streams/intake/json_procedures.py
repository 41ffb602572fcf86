"""JSON: one object is one ProcedureMessage. The schema is docs/schemas/procedure-message.schema.json."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError

from models.expected import problem
from models.messages import MessageIdentity, ProcedureMessage, StatedPatient, Unreadable


def read(value: bytes | None) -> list[ProcedureMessage]:
    """Read one record's value. Raises ``Unreadable``, whose text names the field and repeats no value."""
    if not value:
        raise Unreadable("message", "a JSON object, not an empty record")
    try:
        return [ProcedureMessage.model_validate_json(value)]
    except ValidationError as error:
        raise _unreadable(error, value) from None


def _unreadable(error: ValidationError, value: bytes) -> Unreadable:
    field, said = problem(error)
    return Unreadable(field, said, _known(value))


def _known(value: bytes) -> MessageIdentity | None:
    """What names the procedure, taken field by field from a message that as a whole is wrong."""
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict):
        return None
    patient = content.pop("patient", None)
    identity = _texts(MessageIdentity, content)
    if isinstance(patient, dict):
        identity["patient"] = StatedPatient(**_texts(StatedPatient, patient))
    return MessageIdentity(**identity)


def _texts(model: type[MessageIdentity] | type[StatedPatient], content: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in model.model_fields:
        text = content.get(name)
        if isinstance(text, str) and len(text) <= 256:
            found[name] = text
    return found
