"""Opening balances: what the system in use before go-live charged, and is not charged again."""

from itertools import permutations

import pytest

from models.billing import Kind, Outcome, ProcedureRef, Reason
from models.codes import Service
from tests.models.entered import allowed, opened
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, PATIENT, TUESDAY, kinds, said, standing, told, withdrawn

BEFORE = Reason.OPENING_BALANCE


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_what_was_charged_before_go_live_is_already_reported(ledger: Ledger) -> None:
    """Balance, then statement: nothing is charged, and the decision says why rather than who fills it."""
    ledger.apply(opened())
    verdict = ledger.apply(said())
    assert verdict.billing_events == []
    [made] = verdict.decisions
    assert (made.outcome, made.reason, made.covered_by) == (Outcome.ALREADY_REPORTED, BEFORE, None)
    assert made.charge_id is None


def test_a_balance_loaded_after_the_statement_credits_the_charge(ledger: Ledger) -> None:
    """Statement, then balance: the charge was one too many and is taken back, told with its procedure."""
    [charge] = ledger.apply(event := said()).billing_events
    verdict = ledger.apply(command := opened())
    assert kinds(verdict) == [(Kind.CREDIT, "A", 1, 2, BEFORE)]
    assert verdict.billing_events[0].reverses == charge.id
    follow_up, answer = verdict.decisions
    assert (follow_up.event_id, follow_up.sequence, follow_up.cause) == (
        event.event_id,
        2,
        command.event_id,
    )
    assert (follow_up.outcome, follow_up.reason) == (Outcome.ALREADY_REPORTED, BEFORE)
    assert follow_up.billing_events == (verdict.billing_events[0].id,)
    assert (answer.event_id, answer.outcome, answer.service) == (
        command.event_id,
        Outcome.APPLIED,
        Service.COLLECTION,
    )


def test_a_balance_covers_every_procedure_of_its_key(ledger: Ledger) -> None:
    """One unit was charged before, and one is all that stands of a day."""
    ledger.apply_all([opened(), said("A")])
    [made] = ledger.apply(said("B")).decisions
    assert (made.outcome, made.reason) == (Outcome.ALREADY_REPORTED, BEFORE)
    assert standing(ledger) == []


def test_a_balance_concerns_its_own_key_alone(ledger: Ledger) -> None:
    """Another date or service of the same patient is charged."""
    ledger.apply_all([opened(), said("A"), said("B", service_date=TUESDAY)])
    ledger.apply(said("C", service=Service.TRANSPORT))
    assert [(charge.service, charge.service_date) for charge in standing(ledger)] == [
        (Service.COLLECTION, TUESDAY),
        (Service.TRANSPORT, MONDAY),
    ]


def test_a_withdrawal_credits_nothing_that_perdiem_did_not_charge(ledger: Ledger) -> None:
    """The former system's charge is the former system's to take back."""
    ledger.apply_all([opened(), said()])
    verdict = ledger.apply(withdrawn())
    assert verdict.billing_events == []
    assert told(verdict) == [("A", 1, Outcome.WITHDRAWN), ("A", 2, Outcome.SUPERSEDED)]


def test_a_balance_loaded_twice_counts_once(ledger: Ledger) -> None:
    """The same command in another record is repeated: with an override, one of two units is still charged."""
    ledger.apply_all([said("A"), said("B"), allowed(), first := opened()])
    verdict = ledger.apply(again := opened())
    assert verdict.billing_events == []
    [answer] = verdict.decisions
    assert (answer.event_id, answer.outcome, answer.of) == (
        again.event_id,
        Outcome.REPEATED,
        first.event_id,
    )
    assert len(standing(ledger)) == 1


def test_the_record_of_a_balance_read_again_gives_the_identical_decision(ledger: Ledger) -> None:
    """After offsets were set back, say."""
    first = ledger.apply(balance := opened())
    assert ledger.apply(balance).decisions == first.decisions
    assert ledger.days[PATIENT, MONDAY].standing("facility|collection", 2) == 0


def test_two_equal_units_are_two_when_two_commands_load_them(ledger: Ledger) -> None:
    """The former system charged two of one key: Perdiem charges a third only if a person allowed two more."""
    ledger.apply_all([opened("b1"), opened("b2"), allowed("o1"), said("A"), said("B"), said("C")])
    assert standing(ledger) == []
    ledger.apply(allowed("o2"))
    assert [charge.unit for charge in standing(ledger)] == [1]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_balance_override_and_two_procedures_end_with_one_charge(
    ledger: Ledger, order: tuple[int, ...]
) -> None:
    """Two units are allowed and one was charged before, in whatever order that is said."""
    said_of_it = (opened(), allowed(), said("A"), said("B"))
    ledger.apply_all(said_of_it[position] for position in order)
    [charge] = standing(ledger)
    assert charge.unit == 1


def test_with_a_balance_and_an_override_the_second_procedure_is_charged(ledger: Ledger) -> None:
    """The first to come is covered by the balance; with the second two count, and one unit is left.

    It goes to whoever is first by the survivor policy, and the other one is told who fills it.
    """
    ledger.apply_all([opened(), allowed()])
    assert told(ledger.apply(said("A"))) == [("A", 1, Outcome.ALREADY_REPORTED)]
    verdict = ledger.apply(said("B"))
    assert kinds(verdict) == [(Kind.CHARGE, "A", 1, 1, Reason.PROMOTED)]
    own, other = verdict.decisions
    assert (own.procedure_id, own.outcome, own.covered_by) == (
        "B",
        Outcome.ALREADY_REPORTED,
        ProcedureRef("lab", "A", "north"),
    )
    assert (other.procedure_id, other.outcome, other.sequence) == ("A", Outcome.REPORTED, 2)


def test_a_balance_that_was_loaded_by_mistake_is_taken_back(ledger: Ledger) -> None:
    """The procedure is charged after all."""
    ledger.apply_all([opened(), said()])
    verdict = ledger.apply(opened("b2", name="b1", stands=False))
    assert kinds(verdict) == [(Kind.CHARGE, "A", 1, 1, BEFORE)]
    assert told(verdict)[0] == ("A", 2, Outcome.REPORTED)


def test_more_than_what_counts_was_charged_before(ledger: Ledger) -> None:
    """The balance is higher than what counts by now: nothing stands, and nothing is below zero."""
    ledger.apply_all([opened("b1"), opened("b2"), said("A")])
    assert standing(ledger) == []
    ledger.apply_all([withdrawn("A"), said("A", version=3)])
    assert standing(ledger) == []
