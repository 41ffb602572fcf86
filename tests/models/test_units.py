"""Units: who fills one, who is next, and how they are numbered."""

import msgspec
import pytest

from models.billing import Kind, Outcome, ProcedureRef, Reason
from models.patient_day import PatientDay
from tests.models.ledger import Ledger
from tests.models.said import KEY, MONDAY, PATIENT, kinds, said, standing, told, withdrawn


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_withdrawn_filler_promotes_the_next_one_by_the_survivor_policy(ledger: Ledger) -> None:
    """Credit, then the charge of the lowest by the policy; the others are told whom they name now."""
    ledger.apply_all([said("A"), said("B", survivor=("2",)), said("C", survivor=("1",))])
    verdict = ledger.apply(withdrawn("A"))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CHARGE, "C", 1, 3, Reason.PROMOTED),
    ]
    assert verdict.billing_events[1].covers == (ProcedureRef("lab", "B", "north"),)
    _, _, b, c = verdict.decisions
    assert (b.procedure_id, b.outcome, b.covered_by) == (
        "B",
        Outcome.ALREADY_REPORTED,
        ProcedureRef("lab", "C", "north"),
    )
    assert (c.procedure_id, c.outcome, c.reason) == ("C", Outcome.REPORTED, Reason.PROMOTED)
    assert c.billing_events == (verdict.billing_events[1].id,)
    assert {made.cause for made in verdict.decisions} == {verdict.decisions[0].event_id}


def test_who_came_first_keeps_the_unit_while_it_counts(ledger: Ledger) -> None:
    """A later one that the policy would prefer does not take it; nor after the filler was corrected."""
    ledger.apply(said("B", survivor=("9",)))
    ledger.apply(said("A", survivor=("0",)))
    ledger.apply(said("B", version=2, survivor=("9",), account_number="A2"))
    assert [charge.procedure.procedure_id for charge in standing(ledger)] == ["B"]


def test_a_withdrawal_of_what_is_covered_credits_nothing(ledger: Ledger) -> None:
    """Another procedure fills the unit and keeps it."""
    ledger.apply_all([said("A"), said("B")])
    verdict = ledger.apply(withdrawn("B"))
    assert verdict.billing_events == []
    assert told(verdict) == [("B", 1, Outcome.WITHDRAWN), ("B", 2, Outcome.SUPERSEDED)]


def test_the_next_withdrawal_takes_the_last_charge_back(ledger: Ledger) -> None:
    """Both collections of a day withdrawn: four billing events of one unit, and nothing stands."""
    ledger.apply_all([said("A"), said("B"), withdrawn("A"), withdrawn("B")])
    events = ledger.accounts[PATIENT].billing_events
    assert [(event.kind, event.sequence) for event in events] == [
        (Kind.CHARGE, 1),
        (Kind.CREDIT, 2),
        (Kind.CHARGE, 3),
        (Kind.CREDIT, 4),
    ]
    assert standing(ledger) == []


def allow(ledger: Ledger, more: int) -> None:
    day = ledger.days.get((PATIENT, MONDAY)) or PatientDay(PATIENT, MONDAY)
    ledger.days[PATIENT, MONDAY] = msgspec.structs.replace(
        day, overrides={KEY: {str(number): True for number in range(more)}}
    )


def test_an_allowed_second_unit_is_charged_as_unit_two(ledger: Ledger) -> None:
    """The third procedure is covered by the filler of unit 1."""
    allow(ledger, 1)
    ledger.apply(said("A"))
    assert kinds(ledger.apply(said("B"))) == [(Kind.CHARGE, "B", 2, 1, Reason.FIRST_OF_DAY)]
    [covered] = ledger.apply(said("C")).decisions
    assert covered.covered_by == ProcedureRef("lab", "A", "north")


def test_a_free_unit_one_goes_to_the_next_while_unit_two_stays(ledger: Ledger) -> None:
    """As many units stand as before: the filler of unit 2 keeps it."""
    allow(ledger, 1)
    ledger.apply_all([said("A"), said("B"), said("C")])
    assert kinds(ledger.apply(withdrawn("A"))) == [
        (Kind.CREDIT, "A", 1, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CHARGE, "C", 1, 3, Reason.PROMOTED),
    ]


def test_units_that_stand_are_numbered_without_a_gap(ledger: Ledger) -> None:
    """The first of two is withdrawn: the second moves to unit 1, and unit 2 is credited."""
    allow(ledger, 1)
    ledger.apply_all([said("A"), said("B")])
    verdict = ledger.apply(withdrawn("A"))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CREDIT, "B", 2, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CHARGE, "B", 1, 3, Reason.PROMOTED),
    ]
    moved = verdict.decisions[-1]
    assert (moved.procedure_id, moved.outcome, moved.unit) == ("B", Outcome.REPORTED, 1)
    assert moved.billing_events == tuple(event.id for event in verdict.billing_events[1:])
