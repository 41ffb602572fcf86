"""Expected: what should have stood in a field, as pydantic or a check of ours says it."""

from pydantic import ValidationError

_WORDS = {
    "missing": "a value",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "string_type": "a string",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "string_too_long": "at most 256 characters",
    "string_too_short": "a text that is not empty",
    "timezone_aware": "a date-time with an offset",
    "base64_decode": "base64",
    "extra_forbidden": "no fields but those of the schema",
    "union_tag_invalid": "one that the schema lists",
    "union_tag_not_found": "one that the schema lists",
}
"""Where pydantic says it otherwise, or repeats what was sent."""


def expected(message: str) -> str:
    """The message of a validation error, pydantic's or that of a ValueError, without its opening words."""
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def problem(error: ValidationError, *, tag: str | None = None) -> tuple[str, str]:
    """The first field that is wrong, and what was expected there: never a value, nor a name, that was sent.

    ``tag``: the field that says which of several models it is, if there are several.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind, place = first["type"], first["loc"]
    if kind == "json_invalid":
        return "message", "a JSON object in UTF-8"
    if tag is not None:
        place = place[1:]
        if kind.startswith("union_tag"):
            return tag, _WORDS[kind]
    if kind == "extra_forbidden":
        place = place[:-1]
    field = ".".join(str(part) for part in place) or "message"
    return field, _WORDS.get(kind) or expected(first["msg"])
