"""What a person fills in takes the place of what the source stated, field by field."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.filling import blanks, filled, filled_in
from models.messages import Performed, ProcedureMessage, StatedPatient, Unreadable
from models.procedures import Status

STARTED = datetime(2025, 3, 10, 9, tzinfo=UTC)
MESSAGE = ProcedureMessage(
    status=Status.PERFORMED,
    procedure_id="P",
    patient=StatedPatient(mrn="17"),
    performed=Performed(start=STARTED, end=date(2025, 3, 11)),
    quantity={"cells": 10**9},
)


def test_of_an_object_only_the_fields_that_are_named_change() -> None:
    """The record number stays, and so does what is not filled in, times among it."""
    now = filled(MESSAGE, {"patient": {"assigning_authority": "UH"}, "performed": {"end": "2025-03-12"}})
    assert now.patient == StatedPatient(mrn="17", assigning_authority="UH")
    assert now.performed == Performed(start=STARTED, end=date(2025, 3, 12))
    assert now.model_copy(update={"patient": None, "performed": None}) == MESSAGE.model_copy(
        update={"patient": None, "performed": None}
    )


def test_what_was_not_stated_can_be_filled_in_and_what_was_taken_away() -> None:
    """An object, a number and nothing at all."""
    bare = ProcedureMessage(status=Status.PERFORMED, code="38225")
    now = filled(bare, {"patient": {"mrn": "17"}, "version": 3, "code": None, "status": "withdrawn"})
    assert now == ProcedureMessage(
        status=Status.WITHDRAWN, patient=StatedPatient(mrn="17"), version=3, code=None
    )
    assert filled(MESSAGE, {"patient": None}).patient is None


def test_nothing_filled_in_is_the_message_itself() -> None:
    """A release after the facilities file was mended needs nothing else."""
    assert filled(MESSAGE, {}) == MESSAGE


def test_what_fits_no_message_is_told() -> None:
    """By field; a name that is no field is not repeated."""
    for fill, field in (({"version": "x"}, "fill.version"), ({"mrn": "17"}, "fill")):
        with pytest.raises(Unreadable) as told:
            filled(MESSAGE, fill)
        assert told.value.field == field


@pytest.mark.parametrize(
    ("pairs", "fill"),
    [
        ([], {}),
        (["patient.mrn=0012"], {"patient": {"mrn": "0012"}}),
        (["patient.mrn=12"], {"patient": {"mrn": "12"}}),
        (["products=[]", "code="], {"products": [], "code": ""}),
        (
            ["performed.start=2025-03-10", "facility=a=b"],
            {"performed": {"start": "2025-03-10"}, "facility": "a=b"},
        ),
    ],
)
def test_what_is_filled_in_is_text_where_the_field_takes_text(pairs: list[str], fill: dict[str, Any]) -> None:
    """A record number keeps its zeros."""
    assert filled_in(pairs) == fill


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("4711", "fill: expected FIELD=VALUE"),
        ("version=4711x", "fill.version: expected a whole number"),
        ("status=4711", "fill.status: expected"),
        ("mrn=4711", "fill: expected fields among"),
    ],
)
def test_what_cannot_be_filled_in_is_told_without_its_value(pair: str, said: str) -> None:
    """The field, and what it takes."""
    with pytest.raises(Unreadable) as told:
        filled_in([pair])
    assert str(told.value).startswith(said)
    assert "4711" not in str(told.value)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (None, []),
        ("message", []),
        ("code", ["code"]),
        ("patient.assigning_authority", ["patient.assigning_authority"]),
        ("sending_application, sending_facility", ["sending_application", "sending_facility"]),
        ("fill.performed.start", ["performed.start"]),
        ("performed.unknown", []),
    ],
)
def test_what_is_missing_can_be_asked_for(field: str | None, names: list[str]) -> None:
    """Each field that a decision names, with what the schema says of it; nothing that is no field."""
    asked = blanks(field)
    assert [blank.field for blank in asked] == names
    assert all(blank.description for blank in asked)
