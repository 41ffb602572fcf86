"""What a charge says otherwise than the one that is credited for it."""

from msgspec.structs import replace

from models.billing import BillingEvent, Kind, ProcedureRef
from models.changes import changes
from models.codes import Service
from models.procedures import Stream
from tests.models.ledger import Ledger
from tests.models.said import said


def events() -> list[BillingEvent]:
    ledger = Ledger()
    ledger.apply(said("A", account_number="A1", charge_code="c1"))
    corrected = said("A", 2, account_number="A2", charge_code="c2", product_ids=("W1",))
    return ledger.apply(corrected).billing_events


def test_each_field_is_told_as_it_was_and_as_it_is() -> None:
    """Below the charge; what was not there before comes of nothing."""
    credit, charge, *fields = changes(events(), show_patients=True)
    assert credit.startswith("credit 38225")
    assert charge.startswith("charge 38225")
    assert fields == [
        "  account_number: A1 -> A2",
        "  charge_code: c1 -> c2",
        '  product_ids: nothing -> ["W1"]',
    ]


def test_what_names_a_patient_is_told_only_where_patients_may_be_shown() -> None:
    """That it differs is told all the same."""
    assert "  account_number: another one; --show-patients shows it" in [
        *changes(events(), show_patients=False)
    ]


def test_charges_of_other_procedures_are_not_compared() -> None:
    """Whoever takes a free unit says what it says by itself."""
    credit, charge = events()
    other = replace(charge, procedure=ProcedureRef("lab", "B"))
    assert (credit.kind, Service(other.service), Stream(other.stream)) == (
        Kind.CREDIT,
        credit.service,
        credit.stream,
    )
    assert len([*changes([credit, other], show_patients=True)]) == 2
