"""What a person types is told apart: a patient, an event, a charge or a product."""

import pytest

from streams.facilities import read_facilities
from streams.views.find import By, Sought, sought
from tests.kafka import ROOT

FACILITIES = read_facilities(ROOT / "examples" / "facilities.toml")


@pytest.mark.parametrize(
    ("text", "authority", "found"),
    [
        ("LAKE|0042", "", Sought(By.PATIENT, "LAKE|42")),
        (" Lakeside|42 ", "", Sought(By.PATIENT, "LAKE|42")),
        ("0042", "LAKE", Sought(By.PATIENT, "LAKE|42")),
        ("m-17", "PALM", Sought(By.PATIENT, "PALM|M-17")),
        ("a.lab.procedures:3:17:0", "", Sought(By.EVENT, "a.lab.procedures:3:17:0")),
        ("ABCDEF" + 26 * "0", "", Sought(By.CHARGE, "abcdef" + 26 * "0")),
        ("W0000 26 000001", "", Sought(By.PRODUCT, "W0000 26 000001")),
        ("NOBODY|42", "", None),
        ("LAKE|42", "BAY", None),
        ("42", "NOBODY", None),
        ("  ", "", None),
        ("", "LAKE", None),
    ],
)
def test_what_is_sought_is_told_by_its_shape(text: str, authority: str, found: Sought | None) -> None:
    """Whoever says whose record number it is need not write it in any one way."""
    assert sought(text, authority, FACILITIES) == found
