"""Commands: one JSON object is one Command. The schema is docs/schemas/command.schema.json."""

from pydantic import ValidationError

from models.commands import command
from models.entries import AnyEntry
from models.expected import problem
from models.facilities import Facilities
from models.messages import Unreadable
from models.routing import Routed, route


def take_in(value: bytes | None, facilities: Facilities, *, event_id: str) -> AnyEntry | Routed:
    """Where one record goes. Raises ``Unreadable``, whose text names the field and repeats no value."""
    if not value:
        raise Unreadable("message", "a JSON object, not an empty record")
    try:
        said = command.validate_json(value)
    except ValidationError as error:
        raise Unreadable(*problem(error, tag="command")) from None
    return route(said, value, facilities, event_id=event_id)
