"""Moves: one procedure that was stated of two patients counts for one of them."""

from itertools import permutations
from random import Random

import pytest

from models.billing import Kind, Outcome, Reason
from models.procedures import ProcedureEvent
from models.worklist import Kind as ItemKind
from tests.models.entered import acknowledged, allowed, merged, ruled
from tests.models.network import Network
from tests.models.said import said, sent, withdrawn

ADA, BEN, CAL = "UH|1", "UH|2", "UH|3"


@pytest.fixture
def network() -> Network:
    return Network(Random(0))


def of(patient: str, procedure_id: str = "A", version: int = 1, **more: object) -> ProcedureEvent:
    """A collection of that patient."""
    return said(procedure_id, version, patient=patient, **more)


def reasons(network: Network, patient: str) -> list[tuple[Kind, Reason]]:
    return [(event.kind, event.reason) for event in network.accounts[patient].billing_events]


def test_a_procedure_stated_of_another_patient_moves_there(network: Network) -> None:
    """The higher statement is of Ben: Ada's charge is credited, and Ben's is made."""
    network.hear(first := of(ADA), second := of(BEN, version=2))
    assert reasons(network, ADA) == [
        (Kind.CHARGE, Reason.FIRST_OF_DAY),
        (Kind.CREDIT, Reason.MOVED_TO_PATIENT),
    ]
    assert [charge.event_id for charge in network.standing(BEN)] == [second.event_id]
    moved = network.decisions(first.event_id)[-1]
    assert (moved.outcome, moved.reason, moved.sequence, moved.cause) == (
        Outcome.MOVED,
        Reason.MOVED_TO_PATIENT,
        2,
        second.event_id,
    )
    assert moved.billing_events == (network.accounts[ADA].billing_events[-1].id,)
    assert network.outcomes(second.event_id) == [Outcome.REPORTED]


def test_the_alert_of_a_move_names_event_patient_and_source(network: Network) -> None:
    """A person should look at it; the id of the item shows no patient."""
    network.hear(of(ADA), second := of(BEN, version=2))
    [item] = network.items.values()
    assert (item.kind, item.patient, item.source, item.facility) == (ItemKind.ALERT, BEN, "lab", "north")
    assert (item.detail, item.event_ids) == ("one procedure under two patients", (second.event_id,))
    assert BEN not in item.id
    assert ADA not in item.id


def test_a_procedure_moves_back_and_forth(network: Network) -> None:
    """Ada, Ben, Ada, Ben, each by a higher version: one charge stands at any time, the last one's."""
    first = of(ADA)
    network.hear(first)
    for version, patient, other in ((2, BEN, ADA), (3, ADA, BEN), (4, BEN, ADA)):
        network.hear(of(patient, version=version))
        assert len(network.standing(patient)) == 1
        assert network.standing(other) == []
    assert network.outcomes(first.event_id) == [Outcome.REPORTED, Outcome.MOVED, Outcome.SUPERSEDED]


def test_a_procedure_that_comes_back_is_told_so(network: Network) -> None:
    """Ben's statement is withdrawn as a mistake by a correction that names Ada again."""
    network.hear(of(ADA), of(BEN, version=2), back := of(ADA, version=3))
    assert network.outcomes(back.event_id) == [Outcome.MOVED, Outcome.REPORTED]
    last = network.decisions(back.event_id)[-1]
    assert last.reason is Reason.MOVED_TO_PATIENT
    assert last.billing_events == (network.accounts[ADA].billing_events[-1].id,)


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("seed", range(4))
def test_who_has_a_procedure_does_not_depend_on_the_order(order: tuple[int, ...], seed: int) -> None:
    """Three versions under three patients: the highest has it, the others were moved."""
    network = Network(Random(seed))
    stated = [of(ADA, version=1), of(BEN, version=3), of(CAL, version=2)]
    network.run(stated[position] for position in order)
    assert [len(network.standing(patient)) for patient in (ADA, BEN, CAL)] == [0, 1, 0]
    assert [network.outcomes(event.event_id)[-1] for event in stated] == [
        Outcome.MOVED,
        Outcome.REPORTED,
        Outcome.MOVED,
    ]


def test_a_late_lower_version_does_not_take_it(network: Network) -> None:
    """It comes last, says less, and is told to be moved: nothing is left charged of it."""
    network.hear(of(BEN, version=2), late := of(ADA, version=1))
    assert network.standing(ADA) == []
    assert len(network.standing(BEN)) == 1
    assert network.outcomes(late.event_id) == [Outcome.REPORTED, Outcome.MOVED]


def test_a_withdrawal_under_another_patient_takes_it_away_too(network: Network) -> None:
    """The highest statement of all is that it was withdrawn: it counts for nobody."""
    network.hear(first := of(ADA), last := withdrawn("A", patient=BEN))
    assert (network.standing(ADA), network.standing(BEN)) == ([], [])
    assert network.outcomes(first.event_id)[-1] is Outcome.MOVED
    assert network.outcomes(last.event_id) == [Outcome.WITHDRAWN]


def test_what_moves_away_makes_room_for_the_next(network: Network) -> None:
    """Ada's second collection of the day, covered until now, is charged."""
    network.hear(of(ADA, "A"), second := of(ADA, "B"), cause := of(BEN, "A", version=2))
    assert [charge.procedure.procedure_id for charge in network.standing(ADA)] == ["B"]
    promoted = network.decisions(second.event_id)[-1]
    assert (promoted.outcome, promoted.reason, promoted.cause) == (
        Outcome.REPORTED,
        Reason.PROMOTED,
        cause.event_id,
    )


def test_what_moves_to_a_day_that_is_taken_is_covered_there(network: Network) -> None:
    """Ben had a collection that day: one charge, and Ada's is credited all the same."""
    network.hear(of(BEN, "B"), of(ADA, "A"), second := of(BEN, "A", version=2))
    assert network.standing(ADA) == []
    assert [charge.procedure.procedure_id for charge in network.standing(BEN)] == ["B"]
    assert network.outcomes(second.event_id) == [Outcome.ALREADY_REPORTED]


def test_what_is_covered_and_moves_away_credits_nothing(network: Network) -> None:
    """It filled no unit: only what is true of it changes."""
    network.hear(of(ADA, "A"), covered := of(ADA, "B"), of(BEN, "B", version=2))
    assert reasons(network, ADA) == [(Kind.CHARGE, Reason.FIRST_OF_DAY)]
    assert network.outcomes(covered.event_id) == [Outcome.ALREADY_REPORTED, Outcome.MOVED]


def test_an_override_stays_with_its_patient(network: Network) -> None:
    """A person allowed Ada a second unit; what moves to Ben is covered there."""
    network.hear(of(ADA, "A"), of(ADA, "B"), allowed(patient=ADA), of(BEN, "C"), of(BEN, "B", version=2))
    assert len(network.standing(ADA)) == 1
    assert len(network.standing(BEN)) == 1


def test_the_same_id_of_two_sources_is_two_procedures(network: Network) -> None:
    """An id names a procedure within its source alone: nothing moves, nobody is alerted."""
    network.hear(of(ADA), of(BEN, version=2, source="infusion"))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [1, 1]
    assert network.items == {}


def test_where_ids_are_not_unique_nothing_moves(network: Network) -> None:
    """It may well be another procedure: a person is told, and both are charged."""
    network.hear(first := of(ADA, unique=False), of(BEN, version=2, unique=False))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [1, 1]
    [item] = network.items.values()
    assert item.kind is ItemKind.ALERT
    assert "not unique, so nothing was moved" in (item.detail or "")
    assert network.outcomes(first.event_id) == [Outcome.REPORTED]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_equal_statements_under_two_patients_count_for_one(network: Network, order: tuple[int, ...]) -> None:
    """Same version, same content: one of the two has it, the same one in whatever order they come."""
    stated = [sent("2025-03-10T10", patient=ADA), sent("2025-03-10T10", patient=BEN)]
    network.hear(*(stated[position] for position in order))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [0, 1]


def test_a_resend_under_the_first_patient_brings_nothing_back(network: Network) -> None:
    """Ada's first statement sent again is repeated, and moved it stays."""
    network.hear(first := of(ADA), of(BEN, version=2), again := of(ADA))
    assert network.outcomes(again.event_id) == [Outcome.REPEATED]
    assert network.outcomes(first.event_id)[-1] is Outcome.MOVED
    assert network.standing(ADA) == []


def test_a_correction_below_the_other_patients_changes_no_charge(network: Network) -> None:
    """Ada's version 2 is below Ben's 3: it is moved as version 1 was, which it supersedes."""
    network.hear(first := of(ADA), of(BEN, version=3), second := of(ADA, version=2))
    assert network.standing(ADA) == []
    assert network.outcomes(second.event_id) == [Outcome.MOVED]
    assert network.outcomes(first.event_id) == [Outcome.REPORTED, Outcome.MOVED, Outcome.SUPERSEDED]


@pytest.mark.parametrize("seed", range(20))
def test_old_news_read_again_moves_nothing(seed: int) -> None:
    """Offsets of any reader are set back: charges stay as they are, and every number is used once."""
    random = Random(seed)
    network = Network(random)
    stated = [of(ADA), of(BEN, version=2), of(ADA, version=3), of(ADA, "B"), of(CAL, "B", version=2)]
    network.run(stated)
    before = {patient: network.standing(patient) for patient in (ADA, BEN, CAL)}
    billed = [len(account.billing_events) for account in network.accounts.values()]
    for name in network.receivers:
        network.reset(name, random.randint(1, 10))
    network.rest()
    assert {patient: network.standing(patient) for patient in (ADA, BEN, CAL)} == before
    assert [len(account.billing_events) for account in network.accounts.values()] == billed
    for event in stated:
        network.outcomes(event.event_id)


def test_a_product_under_two_patients_is_an_alert_alone(network: Network) -> None:
    """A mix-up of products is dangerous, and for people to clear up: nothing moves."""
    network.hear(
        of(ADA, "A", product_ids=("W1",)),
        of(ADA, "B", product_ids=("W1",)),
        of(BEN, "C", product_ids=("W1",)),
    )
    [item] = network.items.values()
    assert (item.kind, item.patient, item.detail) == (
        ItemKind.ALERT,
        BEN,
        "one product under two patients",
    )
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [1, 1]


def test_a_move_of_a_charge_on_a_claim_waits_while_the_other_patient_is_charged(network: Network) -> None:
    """Ben's charge is new and waits for nobody; Ada's stands until a person releases the move."""
    network.hear(of(ADA))
    network.hear(acknowledged(network.standing(ADA)[0]), of(BEN, version=2))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [1, 1]
    [item] = [item for item in network.items.values() if item.kind is ItemKind.CORRECTION]
    network.hear(ruled(item.id, apply=True, patient=ADA))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [0, 1]


def test_a_move_that_was_rejected_is_asked_about_again_when_it_happens_again(network: Network) -> None:
    """Back to Ada and away once more: that is another move."""
    network.hear(of(ADA))
    network.hear(acknowledged(network.standing(ADA)[0]), of(BEN, version=2))
    [first] = [item for item in network.items.values() if item.kind is ItemKind.CORRECTION]
    network.hear(ruled(first.id, apply=False, patient=ADA), of(ADA, version=3), of(BEN, version=4))
    corrections = [item for item in network.items.values() if item.kind is ItemKind.CORRECTION]
    assert len(corrections) == 2
    assert len(network.standing(ADA)) == 1


def test_a_move_that_was_taken_back_since_then_leaves_nothing_to_reject(network: Network) -> None:
    """Ada's first charge was credited by it; her next one is of a statement that nobody ruled against."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(of(BEN, version=2), of(ADA, version=3, account_number="A2"))
    network.hear(acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert [each.account_number for each in network.standing(ADA)] == ["A2"]
    assert network.standing(BEN) == []


def test_to_reject_a_move_of_what_was_merged_since_rejects_no_statement_of_the_survivor(
    network: Network,
) -> None:
    """The move came of a statement that lies with the survivor: that one is true of the survivor still."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(first := of(BEN, version=2), of(BEN, version=3, account_number="A2"))
    network.hear(merged(ADA, BEN), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert Outcome.REJECTED not in network.outcomes(first.event_id)
    assert [each.account_number for each in network.standing(BEN)] == ["A2"]


def test_a_move_that_credited_another_procedures_unit_can_be_rejected(network: Network) -> None:
    """Two were allowed, and the first moved away: the second's unit 2 was credited, and was on a claim. Had
    billing spoken first, the move would have waited."""
    network.hear(allowed(patient=ADA), first := of(ADA), of(ADA, "B"))
    charge = network.standing(ADA)[1]
    network.hear(of(BEN, version=2), acknowledged(charge))
    network.hear(ruling := ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert [each.unit for each in network.standing(ADA)] == [1, 2]
    last = network.decisions(first.event_id)[-1]
    assert (last.outcome, last.cause) == (Outcome.REPORTED, ruling.event_id)


def test_to_reject_the_first_of_two_moves_leaves_the_second(network: Network) -> None:
    """Ada, Ben, Ada, Ben: what credited her first charge is ruled against; what credited the next is not."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(of(BEN, version=2), of(ADA, version=3), of(BEN, version=4))
    network.hear(acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [0, 1]


@pytest.mark.parametrize("ruled_after", range(3))
def test_a_move_is_rejected_for_itself_alone_whenever_it_is(network: Network, ruled_after: int) -> None:
    """On a claim from the start: the second move waits for a ruling of its own."""
    network.hear(of(ADA))
    network.hear(acknowledged(network.standing(ADA)[0]), of(BEN, version=2))
    [first] = [item for item in network.items.values() if item.kind is ItemKind.CORRECTION]
    back_and_forth = [of(ADA, version=3), of(BEN, version=4)]
    network.hear(*back_and_forth[:ruled_after])
    network.hear(ruled(first.id, apply=False, patient=ADA), *back_and_forth[ruled_after:])
    second = next(
        item.id for item in network.items.values() if item.kind is ItemKind.CORRECTION and item.id != first.id
    )
    assert len(network.standing(ADA)) == 1
    network.hear(ruled(second, apply=True, patient=ADA))
    assert network.standing(ADA) == []
