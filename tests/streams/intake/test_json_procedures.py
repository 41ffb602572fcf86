"""JSON messages: what is read, what is refused, and how a refusal reads."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from models.messages import MessageIdentity, StatedPatient, Unreadable
from models.procedures import Status
from streams.intake.json_procedures import read
from streams.schemas import schemas

SECRET = "MRN-4711"


def message(**fields: Any) -> bytes:
    return json.dumps({"status": "performed"} | fields).encode()


def refused(value: bytes | None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(value)
    return caught.value


def test_a_message_is_read_with_every_field() -> None:
    """What a source documents arrives as it stated it."""
    [said] = read(
        message(
            procedure_id=" P-1 ",
            patient={"mrn": "0017", "assigning_authority": "UH"},
            performed={"start": "2026-08-03T23:30:00-04:00", "end": "2026-08-04"},
            performers=[{"npi": "1234567893", "role": "operator"}],
            modifiers=["59"],
            version=3,
        )
    )
    assert said.status is Status.PERFORMED
    assert said.procedure_id == "P-1"
    assert said.patient == StatedPatient(mrn="0017", assigning_authority="UH")
    assert said.performed is not None
    assert said.performed.start == datetime(2026, 8, 4, 3, 30, tzinfo=UTC)
    assert said.performed.end == date(2026, 8, 4)
    assert said.modifiers == ("59",)


def test_unknown_fields_are_ignored() -> None:
    """A source may send more than is documented."""
    [said] = read(message(ward="7 West", patient={"mrn": "1", "name": "x"}))
    assert said.patient == StatedPatient(mrn="1")


def test_null_is_as_good_as_absent() -> None:
    """A source that writes null for what it does not know is read as if it had left it out."""
    absent = read(message())
    fields = ["modifiers", "performers", "products", "processing", "performed", "patient", "version", "code"]
    assert read(message(**dict.fromkeys(fields))) == absent


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (None, "message", "JSON object"),
        (b"", "message", "JSON object"),
        (b"{", "message", "JSON object"),
        (b"\xff\xfe", "message", "JSON object"),
        (b"[]", "message", "object"),
        (b"{}", "status", "a value"),
        (message(status="done"), "status", "'performed'"),
        (message(version="3"), "version", "a whole number"),
        (message(version=True), "version", "a whole number"),
        (message(version=-1), "version", "greater than or equal to 0"),
        (message(patient={"mrn": 4711}), "patient.mrn", "a string"),
        (message(patient=SECRET), "patient", "an object"),
        (message(modifiers="59"), "modifiers", "a list"),
        (message(modifiers=[59]), "modifiers.0", "a string"),
        (message(performers=[{"npi": 1}]), "performers.0.npi", "a string"),
        (message(stream="both"), "stream", "'facility' or 'professional'"),
        (message(procedure_id="x" * 257), "procedure_id", "at most 256 characters"),
        (message(performed={"start": "yesterday"}), "performed.start", "YYYY-MM-DD"),
        (message(performed={"start": 1_785_800_000}), "performed.start", "YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_read_names_the_field(value: bytes | None, field: str, expected: str) -> None:
    """A refusal says which field is wrong and what should stand there, in one line."""
    error = refused(value)
    assert error.field == field
    assert expected in error.expected
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "20250301",
        "20250301101500",
        "20250301T101500Z",
        "2025-W10-6T10:15",
        "2025-03-01T10",
        "2025-02-30",
        "0001-01-01T00:00Z",
    ],
)
def test_a_date_is_never_guessed(text: str) -> None:
    """Digits are not taken for seconds since 1970, and no impossible or absurd date is accepted."""
    assert refused(message(performed={"start": text})).field == "performed.start"


def test_a_refusal_never_repeats_a_value() -> None:
    """No patient id reaches an error text."""
    for wrong in (
        message(patient=SECRET),
        message(patient={"mrn": [SECRET]}),
        message(status=SECRET),
        message(sent=SECRET),
        message(patient={"mrn": SECRET * 64}),
        b'{"patient": ' + SECRET.encode(),
    ):
        assert SECRET not in str(refused(wrong))


def test_a_refusal_keeps_what_names_the_procedure() -> None:
    """Whoever holds a charge of the same procedure can be warned."""
    error = refused(
        message(
            sending_application="LAB",
            sending_facility="UH",
            procedure_id="P-1",
            message_id=17,
            patient={"mrn": "1", "assigning_authority": ["UH"]},
            version="three",
        )
    )
    assert error.known == MessageIdentity(
        sending_application="LAB",
        sending_facility="UH",
        procedure_id="P-1",
        patient=StatedPatient(mrn="1"),
    )


def test_the_documented_schema_agrees_with_the_reader() -> None:
    """What the published schema accepts is read, and what it refuses is not."""
    validator = Draft202012Validator(schemas()["procedure-message"])
    for value in (
        message(performed={"start": "2026-08-03"}),
        message(performed={"start": "2026-08-03T10:00:00Z"}),
        message(performed={"start": "2026-08-03T10:00:00.25+02:00"}),
        message(quantity="three bags", modifiers=None),
    ):
        assert validator.is_valid(json.loads(value))
        assert read(value)
    for value in (
        b"{}",
        message(version="3"),
        message(performed={"start": "20260803"}),
        message(stream="both"),
    ):
        assert not validator.is_valid(json.loads(value))
        refused(value)


def test_the_committed_schemas_are_current() -> None:
    """The contract in docs is the contract of the code."""
    folder = Path(__file__).parents[3] / "docs" / "schemas"
    committed = {path.name.removesuffix(".schema.json"): path.read_text() for path in folder.glob("*.json")}
    assert {name: json.loads(text) for name, text in committed.items()} == schemas()
