"""Filling: a held message with what a person put in the place of what the source stated."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

import msgspec
from pydantic import BaseModel, ValidationError

from models.expected import problem
from models.messages import ProcedureMessage, Unreadable
from models.procedures import Status

M = TypeVar("M", bound=BaseModel)


def filled(message: ProcedureMessage, fill: Mapping[str, Any]) -> ProcedureMessage:
    """``message`` with the fields of ``fill`` instead of its own; of an object only those named in it.

    Raises ``Unreadable`` that names the field where ``fill`` does not fit a message.
    """
    return _over(message, _stated(fill), fill)


def filled_in(pairs: Iterable[str]) -> dict[str, Any]:
    """The fields that ``FIELD=VALUE`` name, ``patient.mrn=17`` say. Raises ``Unreadable``."""
    fill: dict[str, Any] = {}
    for pair in pairs:
        field, separator, text = pair.partition("=")
        if not separator:
            raise Unreadable("fill", "FIELD=VALUE")
        value: Any = text
        try:
            check(_nested(field, value))
        except Unreadable as no_text:
            try:
                value = json.loads(text)  # a number, a list or null
            except ValueError:
                raise no_text from None
            check(_nested(field, value))
        _merge(fill, _nested(field, value))
    return fill


def _nested(field: str, value: Any) -> dict[str, Any]:
    first, _, rest = field.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _merge(fill: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(fill.get(name), dict):
            _merge(fill[name], value)
        else:
            fill[name] = value


class Blank(msgspec.Struct, frozen=True):
    """A field that a person may fill in."""

    field: str
    description: str


def blanks(field: str | None) -> list[Blank]:
    """The fields of a message that a decision names as wrong: several with commas between them."""
    names = [name.strip().removeprefix("fill.") for name in (field or "").split(",")]
    found = [(name, _description(ProcedureMessage, name)) for name in names]
    return [Blank(name, description) for name, description in found if description]


def _description(model: type[BaseModel], name: str) -> str | None:
    first, _, rest = name.partition(".")
    known = model.model_fields.get(first)
    if known is None or not rest:
        return known.description if known else None
    inner = [each for each in get_args(known.annotation) if isinstance(each, type)]
    return next((_description(each, rest) for each in inner if issubclass(each, BaseModel)), None)


def check(fill: Mapping[str, Any]) -> None:
    """Raise ``Unreadable`` unless ``fill`` may be put into a message."""
    _over(ProcedureMessage(status=Status.PERFORMED), _stated(fill), fill)


def _stated(fill: Mapping[str, Any]) -> ProcedureMessage:
    try:
        return ProcedureMessage.model_validate_json(json.dumps({"status": Status.PERFORMED, **fill}))
    except ValidationError as error:
        field, said = problem(error)
        raise Unreadable(f"fill.{field}", said) from None


def _over(below: M, above: M, fill: Mapping[str, Any]) -> M:
    """``below`` with what ``above`` holds in the fields that ``fill`` names."""
    fields = type(below).model_fields
    if unknown := fill.keys() - fields.keys():
        raise Unreadable("fill", f"fields among {', '.join(fields)}; {len(unknown)} are none of them")
    changed = {}
    for name, stated in fill.items():
        own, new = getattr(below, name), getattr(above, name)
        if isinstance(new, BaseModel) and isinstance(stated, Mapping):
            new = _over(own if isinstance(own, type(new)) else type(new)(), new, stated)
        changed[name] = new
    return below.model_copy(update=changed)
