"""Filling: a held message with what a person put in the place of what the source stated."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

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
