"""Products: what a person may want to look at, across the days of a patient. None of it blocks."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from models.billing import Outcome, Warning  # noqa: A004 - the design's word
from models.codes import Service
from models.procedures import ProcedureEvent, Reporting
from models.products import Products, changed, notices
from tests.models.entered import merged, unmerged
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import MONDAY, PATIENT, TUESDAY, said, withdrawn

WEDNESDAY = TUESDAY + timedelta(days=1)


def receipt(procedure_id: str = "R", day: date = MONDAY, version: int = 1, **more: Any) -> ProcedureEvent:
    more = {"product_ids": ("W1",), "service": Service.RECEIPT, **more}
    return said(procedure_id, version, service_date=day, **more)


def given(procedure_id: str = "G", day: date = WEDNESDAY, **more: Any) -> ProcedureEvent:
    return said(
        procedure_id, service_date=day, service=Service.ADMINISTRATION, **{"product_ids": ("W1",), **more}
    )


def known(*events: ProcedureEvent) -> Products:
    products: Products = {}
    for event in events:
        products = changed(products, None, event)
    return products


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_second_receipt_of_a_product_on_another_date_is_noticed() -> None:
    """Receipt and preparation are one service: often on two days, and reported once."""
    assert [*notices(known(receipt()), receipt("S", WEDNESDAY))] == [Warning.RECEIPT_TWICE]


def test_a_second_receipt_on_the_same_date_is_nothing_to_notice() -> None:
    """The unit of the day is filled: no charge follows anyway."""
    assert [*notices(known(receipt()), receipt("S"))] == []


@pytest.mark.parametrize("day", [MONDAY, WEDNESDAY])
def test_the_same_service_of_a_product_on_the_day_before_or_after_is_noticed(day: date) -> None:
    """One service over midnight, perhaps, stated as two."""
    assert Warning.ADJACENT_DAYS in notices(known(given("F", TUESDAY)), given("G", day))


def test_two_days_apart_is_not_adjacent() -> None:
    """Given in two parts: that happens."""
    assert Warning.ADJACENT_DAYS not in notices(known(given("F", MONDAY)), given("G", WEDNESDAY))


def test_another_service_on_the_day_before_is_nothing_to_notice() -> None:
    """Received on Tuesday, given on Wednesday: as it should be."""
    assert [*notices(known(receipt("R", TUESDAY)), given())] == []


def test_a_product_given_without_its_receipt_is_noticed() -> None:
    """The receipt may have been forgotten, and with it a charge."""
    assert [*notices({}, given())] == [Warning.NO_RECEIPT]


def test_one_receipt_of_several_products_given_is_enough() -> None:
    """Two bags, two ids, one preparation."""
    assert [*notices(known(receipt()), given(product_ids=("W1", "W2")))] == []


def test_another_product_is_another_matter() -> None:
    """What is known of it says nothing of this one."""
    assert [*notices(known(receipt()), receipt("S", WEDNESDAY, product_ids=("W2",)))] == []
    assert [*notices(known(receipt()), given(product_ids=("W2",)))] == [Warning.NO_RECEIPT]


@pytest.mark.parametrize(
    "event",
    [
        given(product_ids=()),
        given(reporting=Reporting.IN_PRODUCT),
        withdrawn("G"),
        withdrawn("G", product_ids=("W1",)),
    ],
)
def test_what_names_no_product_or_does_not_count_is_not_noticed(event: ProcedureEvent) -> None:
    """There is no charge to look at, or no product to look by."""
    assert [*notices(known(receipt()), event)] == []
    assert [*notices({}, event)] == []


def test_a_correction_counts_in_place_of_what_it_corrects() -> None:
    """Moved to another day, it leaves nothing on the first."""
    before = receipt()
    products = changed(known(before), before, receipt(day=TUESDAY, version=2))
    assert products == {"W1": {f"receipt|{TUESDAY}": 1}}


def test_two_procedures_of_one_day_are_counted_apart() -> None:
    """One of them withdrawn, the other is still there."""
    one = receipt("R")
    assert changed(known(one, receipt("S")), one, withdrawn("R")) == {"W1": {f"receipt|{MONDAY}": 1}}


def test_a_product_stays_known_though_nothing_counts_of_it() -> None:
    """Identity was told of it once, and is not told again."""
    one = receipt()
    assert changed(known(one), one, withdrawn("R")) == {"W1": {}}


def test_what_was_known_is_not_changed() -> None:
    """A new value is made, or the very same if nothing changes."""
    products = known(receipt())
    before = {product: dict(on) for product, on in products.items()}
    assert changed(products, None, said()) is products
    changed(products, None, receipt("S", TUESDAY))
    assert products == before


def test_what_was_never_counted_is_not_taken_off() -> None:
    """State that was written before products were counted: its procedures are corrected all the same."""
    products = changed({}, receipt(), receipt(day=TUESDAY, version=2))
    assert [*notices(products, receipt("S", TUESDAY))] == []


def test_a_procedure_does_not_notice_itself(ledger: Ledger) -> None:
    """Its own correction to the next day: no second receipt, no adjacent day."""
    ledger.apply(receipt())
    [made, _] = ledger.apply(receipt(day=TUESDAY, version=2)).decisions
    assert (made.outcome, made.warnings) == (Outcome.CORRECTED, ())


def test_warnings_are_on_the_decision_and_block_no_charge(ledger: Ledger) -> None:
    """Received twice, on adjacent days: both are charged, the second with two warnings."""
    ledger.apply(receipt())
    verdict = ledger.apply(receipt("S", TUESDAY))
    assert len(verdict.billing_events) == 1
    assert verdict.decisions[0].warnings == (Warning.RECEIPT_TWICE, Warning.ADJACENT_DAYS)


def test_a_receipt_within_the_charge_of_the_product_is_a_receipt(ledger: Ledger) -> None:
    """Nothing is missing where the facility does not report it on a line of its own."""
    ledger.apply(receipt(reporting=Reporting.IN_PRODUCT))
    assert ledger.apply(given()).decisions[0].warnings == ()


def test_what_was_withdrawn_is_noticed_no_more(ledger: Ledger) -> None:
    """The first receipt was a mistake."""
    ledger.apply_all([receipt(), withdrawn("R")])
    assert ledger.apply(receipt("S", TUESDAY)).decisions[0].warnings == ()


def test_what_a_merge_brings_is_noticed_with_the_survivors_own() -> None:
    """Received under one number, given under the other: nothing is missing once they are merged."""
    network = Network(Random(0))
    event = given(patient="UH|2")
    network.hear(receipt(patient="UH|1"), merged("UH|1", "UH|2"), event)
    assert network.decisions(event.event_id)[0].warnings == ()


def test_what_was_stated_while_a_merge_held_is_counted_once_after_its_undoing() -> None:
    """The receipt is corrected to Tuesday: it is not received on Monday as well."""
    network = Network(Random(0))
    merge = merged("UH|1", "UH|2")
    correction = receipt(day=TUESDAY, version=2, patient="UH|1")
    network.hear(merge, receipt(patient="UH|1"), unmerged(merge), correction)
    assert network.decisions(correction.event_id)[0].warnings == ()


def test_identity_is_told_of_a_product_once_a_patient(ledger: Ledger) -> None:
    """By the first procedure that names it."""
    [product, _] = ledger.apply(receipt()).news
    assert (type(product).__name__, product.patient) == ("Product", PATIENT)
    assert [type(news).__name__ for news in ledger.apply(given()).news] == ["Stated"]


def test_a_product_of_two_patients_is_an_alert_though_they_were_merged_meanwhile() -> None:
    """The merge was a mistake and is undone: that both name the product was never told."""
    network = Network(Random(0))
    merge = merged("UH|1", "UH|2")
    network.hear(merge, receipt(patient="UH|1"), given(patient="UH|2"), unmerged(merge))
    assert "one product under two patients" in [item.detail for item in network.items.values()]


# Defects.
