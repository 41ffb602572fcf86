"""The facilities file: what is wrong with it is said before anything uses it."""

from datetime import date
from pathlib import Path

import pytest

from models.codes import Service
from models.facilities import Facilities, PreInfusion
from models.facilities_file import FacilitiesError, parse

EXAMPLE = Path(__file__).parents[2] / "examples" / "facilities.toml"

AUTHORITY = """
[[authorities]]
id = "UH"
"""
FACILITY = """
[[facilities]]
id = "lakeside"
time_zone = "America/New_York"
"""
SOURCE = """
[[facilities.sources]]
id = "lab"
sending_applications = ["LAB"]
version = "number"
"""
OTHER = FACILITY.replace("lakeside", "bayview")


def problems(text: str) -> list[str]:
    with pytest.raises(FacilitiesError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_the_example_is_a_valid_file_of_three_facilities() -> None:
    """The example can be copied and used."""
    facilities = parse(EXAMPLE.read_text())
    assert [facility.id for facility in facilities.facilities] == ["lakeside", "bayview", "palmetto"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            AUTHORITY + FACILITY.replace("America/New_York", "America/Gotham"),
            "facility lakeside, time_zone: expected the IANA name of a time zone, such as America/New_York",
        ),
        (
            AUTHORITY + FACILITY + 'revenue_codes = { collection = "87" }',
            "facility lakeside, revenue_codes.collection: expected a text of 3 or 4 digits",
        ),
        (
            AUTHORITY + FACILITY + "[[facilities.periods]]\nfrom = 2025-01-01\n" * 2,
            "facility lakeside, periods: from 2025-01-01 and from 2025-01-01 overlap",
        ),
        (
            AUTHORITY
            + FACILITY
            + "[[facilities.periods]]\nfrom = 2025-01-01\nto = 2025-06-30\n"
            + "[[facilities.periods]]\nfrom = 2025-06-30\n",
            "facility lakeside, periods: from 2025-01-01 and from 2025-06-30 overlap",
        ),
        (
            AUTHORITY + FACILITY + "[[facilities.periods]]\nfrom = 2025-01-01\nto = 2024-01-01",
            "facility lakeside, periods: from 2025-01-01 ends before it starts",
        ),
        (
            AUTHORITY + FACILITY + 'aliases = ["UH"]' + OTHER + 'aliases = ["UH"]',
            "facility bayview, aliases: 'UH' stands in two places, also in facility lakeside, aliases",
        ),
        (
            AUTHORITY + AUTHORITY.replace("UH", "BAY") + 'aliases = ["UH"]' + FACILITY,
            "authority BAY, aliases: 'UH' stands in two places, also in authorities, entry 1, id",
        ),
        (
            AUTHORITY + FACILITY + SOURCE + SOURCE.replace('"lab"', '"second"'),
            "facility lakeside, source second: 'LAB for lakeside' stands in two places, "
            "also in facility lakeside, source lab",
        ),
        (
            AUTHORITY + FACILITY + SOURCE + OTHER + SOURCE,
            "facility bayview, sources.id: 'lab' stands in two places, also in facility lakeside, sources.id",
        ),
        (
            AUTHORITY + FACILITY + '[[facilities.charges]]\nservice = "collection"\ncodes = ["1", "1"]',
            "facility lakeside, charges: '1' stands in two places",
        ),
        (
            AUTHORITY + FACILITY + '[[facilities.charges]]\nservice = "infusion"',
            "facility lakeside, charges, entry 1, service: expected one of "
            "collection, transport, receipt, administration, not_ours",
        ),
        (
            AUTHORITY + FACILITY + 'timezone = "America/Chicago"',
            "facility lakeside, timezone: is not a field of this table",
        ),
        (
            AUTHORITY + FACILITY + SOURCE.replace("version", "# version"),
            "facility lakeside, sources, entry 1, version: is needed",
        ),
        (
            AUTHORITY + FACILITY + SOURCE + 'default_authority = "BAY"',
            "facility lakeside, source lab, default_authority: expected an authority of this file, not 'BAY'",
        ),
        (
            AUTHORITY.replace("UH", "U|H") + FACILITY,
            "authority U|H, id: expected a text without '|'",
        ),
        (
            AUTHORITY + FACILITY + SOURCE.replace('["LAB"]', "[]"),
            "facility lakeside, sources, entry 1, sending_applications: expected at least one",
        ),
        (
            AUTHORITY + FACILITY + FACILITY,
            "facilities, entry 2, id: 'lakeside' stands in two places, also in facilities, entry 1, id",
        ),
        (FACILITY, "authorities: is needed"),
        (
            AUTHORITY + '[[facilities]]\nname = "no id"\ntime_zone = "UTC"',
            "facilities, entry 1, id: is needed",
        ),
    ],
)
def test_each_problem_is_one_line_that_names_facility_and_field(text: str, line: str) -> None:
    """Who wrote the file sees where to look and what was expected."""
    assert problems(text) == [line]


def test_several_problems_are_told_at_once() -> None:
    """Nobody has to start the product once for each mistake."""
    wrong = FACILITY.replace("America/New_York", "Nowhere") + 'survivor = "cheapest"'
    assert len(problems(AUTHORITY + wrong)) == 2


def test_what_is_not_toml_is_told_with_its_line() -> None:
    """A typing error is found by its place in the file."""
    [line] = problems("[[facilities]]\nid = lakeside")
    assert line.startswith("not TOML: ")
    assert "line 2" in line


def periods(text: str) -> Facilities:
    return parse(AUTHORITY + FACILITY + 'revenue_codes = { collection = "871", receipt = "0873" }\n' + text)


def test_without_periods_the_facilitys_settings_always_hold() -> None:
    """A simple file needs no dates."""
    facility = periods("").facilities[0]
    assert facility.on(date(2019, 1, 1)) is facility


def test_a_period_changes_only_what_it_states() -> None:
    """Effective-dated settings say the difference, and nothing else is lost by it."""
    facility = periods(
        "[[facilities.periods]]\nfrom = 2025-01-01\n"
        "[[facilities.periods]]\n"
        'from = 2026-07-01\npre_infusion = "in_product"\nrevenue_codes = { collection = "0761" }'
    ).facilities[0]
    before, after = facility.on(date(2026, 6, 30)), facility.on(date(2026, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.pre_infusion, after.pre_infusion) == (PreInfusion.SEPARATE, PreInfusion.IN_PRODUCT)
    assert before.revenue_codes == {Service.COLLECTION: "0871", Service.RECEIPT: "0873"}
    assert after.revenue_codes == {Service.COLLECTION: "0761", Service.RECEIPT: "0873"}


def test_dates_that_no_period_covers_have_no_settings() -> None:
    """A gap is never filled by a guess."""
    facility = periods(
        "[[facilities.periods]]\nfrom = 2025-01-01\nto = 2025-03-31\n"
        "[[facilities.periods]]\nfrom = 2025-05-01"
    ).facilities[0]
    assert facility.on(date(2024, 12, 31)) is None
    assert facility.on(date(2025, 3, 31)) is not None
    assert facility.on(date(2025, 4, 1)) is None
    assert facility.on(date(2030, 1, 1)) is not None


def test_a_periods_charge_code_takes_the_place_of_the_facilitys() -> None:
    """A charge code may change its meaning from a date on."""
    line = '[[facilities{}.charges]]\nservice = "{}"\ncodes = ["100"]\n'
    facility = periods(
        line.format("", "collection")
        + "[[facilities.periods]]\nfrom = 2025-01-01\n"
        + "[[facilities.periods]]\nfrom = 2026-01-01\n"
        + line.format(".periods", "receipt")
    ).facilities[0]
    found = [facility.on(date(year, 6, 1)) for year in (2025, 2026)]
    charges = [settings.chargemaster.find("100", None) for settings in found if settings]
    assert [charge.service for charge in charges if charge] == [Service.COLLECTION, Service.RECEIPT]


def test_the_digest_of_settings_changes_with_what_they_say_and_not_with_how() -> None:
    """An event tells which settings it was resolved with."""
    plain = AUTHORITY + FACILITY + SOURCE

    def digest(text: str) -> str:
        facilities = parse(text)
        source, facility = facilities.source("LAB", "lakeside") or (None, None)
        return facilities.digest(source, facility, facilities.authority("UH"))

    assert digest(plain) == digest("# a comment\n" + plain)
    assert digest(plain) == digest(plain + OTHER)
    assert digest(plain) != digest(plain + "utc_midnight_is_date = true")
    assert digest(plain) != digest(plain.replace('id = "UH"', 'id = "UH"\npad_to = 8'))


@pytest.mark.parametrize(
    ("rule", "stated", "normal"),
    [
        ("", " 0017 ", "0017"),
        ("strip_leading_zeros = true", "0017", "17"),
        ("strip_leading_zeros = true", "000", ""),
        ("pad_to = 6", "17", "000017"),
        ("strip_leading_zeros = true\npad_to = 3", "00017", "017"),
        ("uppercase = true", "m17", "M17"),
    ],
)
def test_medical_record_numbers_have_one_spelling(rule: str, stated: str, normal: str) -> None:
    """Two spellings of one number are one patient."""
    authority = parse(AUTHORITY + rule + FACILITY).authority("UH")
    assert authority is not None
    assert authority.normal_mrn(stated) == normal
