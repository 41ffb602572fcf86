"""An opening balance is checked whole, and the same file again gives the same commands."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from models.codes import Service
from models.facilities import Facilities
from models.procedures import Stream
from streams.facilities import read_facilities
from streams.opening import OpeningError, Unit, commands, read_units

CSV = """\
patient,stream,service,service_date
LAKE|0017,facility,collection,2025-03-10
LAKE|17,Facility,collection,2025-03-10

LAKE|18,professional,administration,2025-03-11
"""
JSON = """\
{"patient": "LAKE|0017", "stream": "facility", "code": "38225", "service_date": "2025-03-10"}

{"patient": "LAKE|17", "stream": "facility", "service": "collection", "service_date": "2025-03-10"}
{"patient": "LAKE|18", "stream": "professional", "code": "0540t", "service_date": "2025-03-11"}
"""
UNITS = [
    Unit("LAKE|17", Stream.FACILITY, Service.COLLECTION, date(2025, 3, 10)),
    Unit("LAKE|17", Stream.FACILITY, Service.COLLECTION, date(2025, 3, 10)),
    Unit("LAKE|18", Stream.PROFESSIONAL, Service.ADMINISTRATION, date(2025, 3, 11)),
]
NOON, LATER = datetime(2025, 4, 1, 12, tzinfo=UTC), datetime(2025, 4, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def facilities() -> Facilities:
    return read_facilities(Path(__file__).parents[2] / "examples" / "facilities.toml")


@pytest.mark.parametrize("text", [CSV, JSON, "\ufeff" + CSV, CSV.replace("\n", "\r\n")])
def test_units_are_read_from_csv_and_from_json_lines(
    tmp_path: Path, facilities: Facilities, text: str
) -> None:
    """Patients in their one spelling, services by name or by code; a mark of the file's order is no field."""
    file = tmp_path / "opening"
    file.write_text(text, encoding="utf-8")
    assert read_units(file, facilities) == UNITS


def test_the_same_units_are_the_same_commands(facilities: Facilities) -> None:
    """Whoever loads them, when and why; two equal lines are two units, and others are others."""
    first = [said.id for said in commands(UNITS, "ada", NOON, "go-live")]
    again = [said.id for said in commands(UNITS, "bob", LATER, "once more")]
    assert first == again
    assert len({*first}) == 3
    assert {said.id for said in commands(UNITS[1:], "ada", NOON, "x")} == {first[0], first[2]}


WRONG = [
    ("4711,facility,collection,2025-03-10", "patient"),
    ("NOBODY|4711,facility,collection,2025-03-10", "patient"),
    ("LAKE|4711,4711,collection,2025-03-10", "stream"),
    ("LAKE|4711,facility,4711,2025-03-10", "service"),
    ("LAKE|4711,facility,,2025-03-10", "service"),
    ("LAKE|4711,facility,collection,4711", "service_date"),
    ("LAKE|4711,facility,collection,2025-03-10,4711", "expected no fields but"),
]


def test_a_file_is_checked_whole_and_no_value_is_repeated(tmp_path: Path, facilities: Facilities) -> None:
    """A line for each problem, that names the line and the field."""
    file = tmp_path / "opening.csv"
    file.write_text(CSV + "".join(f"{line}\n" for line, _ in WRONG))
    with pytest.raises(OpeningError) as told:
        read_units(file, facilities)
    lines = str(told.value).splitlines()
    assert len(lines) == len(WRONG)
    for number, (line, (_, field)) in enumerate(zip(lines, WRONG, strict=True), start=6):
        assert line.startswith(f"{file}: line {number}: {field}")
        assert "4711" not in line.removeprefix(str(file))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (
            '{"patient": "LAKE|4711", "stream": "facility", "code": "99999", "service_date": "2025-03-10"}',
            "code",
        ),
        (
            '{"patient": "LAKE|4711", "stream": "facility", "code": "38225", "service": "transport", '
            '"service_date": "2025-03-10"}',
            "code",
        ),
        ('{"patient": "LAKE|4711"', "expected an object of JSON"),
        ('{"mrn": "4711"}', "expected no fields but"),
    ],
)
def test_a_line_of_json_that_cannot_be_used_names_the_field(
    tmp_path: Path, facilities: Facilities, line: str, field: str
) -> None:
    """A code of none of the services, or of another one than is named."""
    file = tmp_path / "opening.jsonl"
    file.write_text(line)
    with pytest.raises(OpeningError, match=f"line 1: {field}") as told:
        read_units(file, facilities)
    assert "4711" not in str(told.value).removeprefix(str(file))


def test_what_is_wrong_in_every_line_is_told_of_some(tmp_path: Path, facilities: Facilities) -> None:
    """And the others are counted."""
    file = tmp_path / "opening.jsonl"
    file.write_text("{}\n" * 30)
    with pytest.raises(OpeningError) as told:
        read_units(file, facilities)
    lines = str(told.value).splitlines()
    assert (len(lines), lines[-1]) == (21, f"{file}: 10 lines more")


def test_a_file_that_is_none_is_told(tmp_path: Path, facilities: Facilities) -> None:
    """In one line."""
    with pytest.raises(OpeningError, match="a readable file expected"):
        read_units(tmp_path / "gone", facilities)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(OpeningError, match="text in UTF-8 expected"):
        read_units(tmp_path / "binary", facilities)


def test_a_file_without_a_header_line_is_told_once(tmp_path: Path, facilities: Facilities) -> None:
    """And not in each of its lines: a README, or a spreadsheet saved without its names."""
    file = tmp_path / "units.csv"
    for text in ("# Perdiem\n\nHospitals report\n", "LAKE|4711,facility,collection,2025-03-10\n" * 30):
        file.write_text(text)
        with pytest.raises(OpeningError) as told:
            read_units(file, facilities)
        assert str(told.value) == (
            f"{file}: no header line: expected patient, stream, service or code, service_date"
        )
