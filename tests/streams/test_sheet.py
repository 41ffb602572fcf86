"""A sheet adds up in any spreadsheet, and computes nothing there."""

import csv
import io
from datetime import date

import pytest

from models.billing import Outcome
from models.codes import Service
from models.reconciliation import reconcile
from models.tally import ACKNOWLEDGED, CHARGE, CREDIT, IN, LATE, Bucket, of_service
from streams.spreadsheet import rows

LAB = Bucket(date(2025, 3, 9), "lakeside", "lakeside-lab")
NOWHERE = Bucket(None, None, None)
COUNTED = [
    (NOWHERE, {IN: 1, Outcome.DEAD_LETTERED: 1}),
    (
        LAB,
        {
            IN: 1200,
            Outcome.REPORTED: 1000,
            Outcome.HELD: 199,
            CHARGE: 1001,
            of_service(CHARGE, Service.RECEIPT): 1001,
            CREDIT: 1,
            of_service(CREDIT, Service.RECEIPT): 1,
            ACKNOWLEDGED: 400,
            LATE: 12,
        },
    ),
]


def test_a_spreadsheet_gets_the_same_columns_always() -> None:
    """A row a bucket, those without a date last, and no total, which a spreadsheet would add once more."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows(rows(reconcile([COUNTED])))
    [lab, nowhere] = csv.DictReader(io.StringIO(sheet.getvalue()))
    figures = ("service_date", "in", "reported", "in_flight", "standing", "never_acknowledged", "late")
    assert [lab[name] for name in figures] == ["2025-03-09", "1200", "1000", "1", "1000", "600", "12"]
    assert (lab["charges_receipt"], lab["credits_receipt"], lab["charges_transport"]) == ("1001", "1", "0")
    assert (nowhere["service_date"], nowhere["facility"], nowhere["dead_lettered"]) == ("", "", "1")
    assert [*lab] == [*next(rows({}))]


@pytest.mark.parametrize("beside", ["charge", "credit", "applied", "refused"])
def test_a_spreadsheet_has_no_column_for_what_is_no_outcome_of_an_event(beside: str) -> None:
    """Decisions about commands and acknowledgements are not counted."""
    assert beside not in next(rows({}))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_name_is_computed(name: str) -> None:
    """A facility or source whose name would be a formula is text; figures stay figures, below zero too."""
    [_, row] = rows(reconcile([[(Bucket(None, name, name), {Outcome.HELD: 1})]]))
    assert row[1:4] == [f"'{name}", f"'{name}", 0]
    assert -1 in row
