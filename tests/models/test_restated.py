"""Restated: a statement as changed settings resolve it takes the place of what former settings made of it."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from models.billing import Kind, Outcome, Reason
from models.entries import Expiry, item_of
from models.posting import Posting
from models.procedures import ProcedureEvent, Reporting
from tests.models.entered import acknowledged, command_event, merged, ruled
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import MONDAY, PATIENT, TUESDAY, kinds, latest, said, sent, standing, withdrawn

OTHER = "UH|0002"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def restated(event: ProcedureEvent, number: int = 1, **more: Any) -> ProcedureEvent:
    """The same record with other mapped values, by a command: same event id, version and content."""
    because = command_event()
    return replace(event, **{"restated": number, "because": because, "command": f"restate {because}", **more})


def answer(verdict: Posting, command: ProcedureEvent) -> tuple[int, Outcome]:
    """Number and outcome of the decision about the command, which is the only one of its event."""
    [made] = [each for each in verdict.decisions if each.event_id == command.because]
    return made.sequence, made.outcome


def about(verdict: Posting, event: ProcedureEvent) -> list[tuple[int, Outcome]]:
    """Number and outcome of the decisions about what a source stated."""
    return [(each.sequence, each.outcome) for each in verdict.decisions if each.event_id == event.event_id]


def test_a_restated_statement_takes_the_place_of_the_former(ledger: Ledger) -> None:
    """Another revenue code by the settings of now: credit and charge, told of the event that said it; and the
    command is applied."""
    ledger.apply(event := said())
    verdict = ledger.apply(again := restated(event, revenue_code="0891"))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.CONTENT_CORRECTED),
        (Kind.CHARGE, "A", 1, 3, Reason.CONTENT_CORRECTED),
    ]
    made, applied = verdict.decisions
    assert (made.event_id, made.sequence, made.outcome, made.cause) == (
        event.event_id,
        2,
        Outcome.CORRECTED,
        again.because,
    )
    assert (applied.event_id, applied.sequence, applied.outcome) == (again.because, 1, Outcome.APPLIED)
    assert applied.patient == PATIENT
    assert not made.repeated
    assert {billed.cause for billed in verdict.billing_events} == {again.because}
    assert [charge.revenue_code for charge in standing(ledger)] == ["0891"]


def test_a_restated_statement_may_count_no_longer(ledger: Ledger) -> None:
    """The facility reports the service within the product by now: the charge is credited."""
    ledger.apply(event := said())
    verdict = ledger.apply(restated(event, reporting=Reporting.IN_PRODUCT))
    assert about(verdict, event) == [(2, Outcome.IN_PRODUCT)]
    assert standing(ledger) == []


def test_a_restated_statement_may_count_after_all(ledger: Ledger) -> None:
    """And the other way round."""
    ledger.apply(event := said(reporting=Reporting.NOT_OURS))
    verdict = ledger.apply(restated(event, reporting=Reporting.SEPARATE))
    assert about(verdict, event) == [(2, Outcome.REPORTED)]


def test_a_restated_statement_may_be_of_another_day(ledger: Ledger) -> None:
    """The facility's time zone was wrong: the charge moves, and who was covered is promoted."""
    ledger.apply_all([event := said("A"), said("B")])
    ledger.apply(restated(event, service_date=TUESDAY))
    assert sorted((charge.procedure.procedure_id, charge.service_date) for charge in standing(ledger)) == [
        ("A", TUESDAY),
        ("B", MONDAY),
    ]


def test_a_restated_statement_that_changes_nothing_charges_nothing(ledger: Ledger) -> None:
    """The settings changed elsewhere: the charge stays, and the decision names it."""
    ledger.apply(event := said())
    [charge] = standing(ledger)
    verdict = ledger.apply(restated(event, settings="s2"))
    assert verdict.billing_events == []
    [made, _] = verdict.decisions
    assert (made.event_id, made.charge_id, made.settings) == (event.event_id, charge.id, "s2")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_older_restatement_changes_nothing(ledger: Ledger, number: int) -> None:
    """Nor another of the same time, nor the record itself: the highest holds."""
    ledger.apply(event := said())
    ledger.apply(restated(event, 2, revenue_code="0891"))
    former = event if number == 0 else restated(event, number, command="a", revenue_code="0999")
    assert ledger.apply(former).billing_events == []
    assert [charge.revenue_code for charge in standing(ledger)] == ["0891"]


def test_of_two_restatements_the_later_holds(ledger: Ledger) -> None:
    """Settings were changed twice."""
    ledger.apply(event := said())
    ledger.apply_all([restated(event, 1, revenue_code="0891"), restated(event, 2, revenue_code="0892")])
    assert [charge.revenue_code for charge in standing(ledger)] == ["0892"]


def test_a_correction_by_the_source_holds_over_a_restatement(ledger: Ledger) -> None:
    """Its version is higher, whenever it comes."""
    ledger.apply(event := said())
    ledger.apply_all([restated(event, 5, revenue_code="0891"), said(version=2, account_number="A2")])
    assert [(charge.account_number, charge.revenue_code) for charge in standing(ledger)] == [("A2", "0871")]


def test_a_restatement_of_what_was_corrected_changes_no_charge(ledger: Ledger) -> None:
    """It restates what no longer holds, and is told so."""
    ledger.apply_all([event := said(), correction := said(version=2, account_number="A2")])
    verdict = ledger.apply(restated(event, revenue_code="0891"))
    assert verdict.billing_events == []
    [made, _] = verdict.decisions
    assert (made.event_id, made.outcome, made.of) == (
        event.event_id,
        Outcome.SUPERSEDED,
        correction.event_id,
    )


def test_a_restated_statement_is_withdrawn_like_any_other(ledger: Ledger) -> None:
    """What the source takes back is gone, however it was read."""
    ledger.apply(event := said())
    ledger.apply_all([restated(event, revenue_code="0891"), withdrawn()])
    assert standing(ledger) == []


def test_a_resend_after_a_restatement_stays_repeated(ledger: Ledger) -> None:
    """The same content in another record, as the former settings resolve it: it brings nothing back."""
    ledger.apply(event := said())
    ledger.apply(restated(event, revenue_code="0891"))
    verdict = ledger.apply(said())
    [made] = verdict.decisions
    assert (made.outcome, made.of, verdict.billing_events) == (Outcome.REPEATED, event.event_id, [])
    assert [charge.revenue_code for charge in standing(ledger)] == ["0891"]


def test_a_restatement_of_a_resend_is_told_of_the_first_event(ledger: Ledger) -> None:
    """Both said the same: downstream knows the statement by the one that came first."""
    ledger.apply_all([first := said(), resend := said()])
    ledger.apply(restated(resend, revenue_code="0891"))
    assert [(charge.event_id, charge.revenue_code) for charge in standing(ledger)] == [
        (first.event_id, "0891")
    ]
    assert latest(ledger)[resend.event_id].outcome is Outcome.REPEATED
    assert latest(ledger)[first.event_id].charge_id == standing(ledger)[0].id


def test_a_restatement_keeps_the_lower_message_time(ledger: Ledger) -> None:
    """Where only that orders: restating a resend after a correction brings nothing back."""
    ledger.apply_all([sent("2025-03-10T10"), higher := sent("2025-03-10T11", account_number="A2")])
    ledger.apply(restated(sent("2025-03-10T12"), revenue_code="0891"))
    assert [charge.event_id for charge in standing(ledger)] == [higher.event_id]


def test_a_restatement_of_an_unknown_procedure_is_a_statement(ledger: Ledger) -> None:
    """Its record was lost sight of, or it was not ours: it is taken in like any other."""
    verdict = ledger.apply(again := restated(event := said()))
    assert about(verdict, event) == [(1, Outcome.REPORTED)]
    assert answer(verdict, again) == (1, Outcome.APPLIED)
    assert ledger.place(PATIENT, "A") == MONDAY


def test_the_record_of_a_restatement_read_again_gives_the_identical_decision(ledger: Ledger) -> None:
    """Of the command; the event itself is told nothing more, and nothing is charged."""
    ledger.apply(event := said())
    first = ledger.apply(again := restated(event, revenue_code="0891"))
    verdict = ledger.apply(again)
    assert verdict.decisions == first.decisions[1:]
    assert verdict.billing_events == []


def test_the_same_restatement_sent_again_is_repeated(ledger: Ledger) -> None:
    """In another record, of the one that was heard first."""
    ledger.apply(event := said())
    ledger.apply(first := restated(event, revenue_code="0891"))
    [repeated] = ledger.apply(replace(first, because=command_event())).decisions
    assert (repeated.outcome, repeated.of) == (Outcome.REPEATED, first.because)


def test_a_restatement_of_what_is_no_longer_kept_is_refused(ledger: Ledger) -> None:
    """What its event was, nobody knows any more: it is told nothing, and nothing is charged."""
    ledger.apply_all([event := said(), Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY)])
    verdict = ledger.apply(again := restated(event, service_date=TUESDAY))
    [refused] = verdict.decisions
    assert (refused.event_id, refused.outcome, refused.reason) == (
        again.because,
        Outcome.REFUSED,
        Reason.NO_LONGER_KEPT,
    )
    assert verdict.billing_events == []


# While the charge is on a claim.


def waiting(ledger: Ledger) -> tuple[ProcedureEvent, ProcedureEvent]:
    """What was stated and charged, on a claim, and its restatement, which waits."""
    ledger.apply(event := said())
    ledger.apply(acknowledged(standing(ledger)[0]))
    ledger.apply(again := restated(event, revenue_code="0891"))
    return event, again


def test_a_restatement_waits_while_the_charge_is_on_a_claim(ledger: Ledger) -> None:
    """Like whatever else would credit it. The command is held; the event is what it was, and told nothing."""
    ledger.apply(event := said())
    ledger.apply(acknowledged(charge := standing(ledger)[0]))
    verdict = ledger.apply(again := restated(event, revenue_code="0891"))
    assert verdict.billing_events == []
    [held] = verdict.decisions
    assert (held.event_id, held.sequence, held.outcome, held.reason) == (
        again.because,
        1,
        Outcome.HELD,
        Reason.ON_CLAIM,
    )
    [item] = verdict.items
    assert (item.id, item.charge_id, item.event_ids) == (item_of(again), charge.id, (event.event_id,))
    assert latest(ledger)[event.event_id].outcome is Outcome.REPORTED


def test_a_restatement_that_is_released_is_applied(ledger: Ledger) -> None:
    """Its event and the command are told so, with the release as the cause."""
    event, again = waiting(ledger)
    verdict = ledger.apply(ruling := ruled(item_of(again), apply=True))
    assert [charge.revenue_code for charge in standing(ledger)] == ["0891"]
    assert {billed.cause for billed in verdict.billing_events} == {ruling.event_id}
    assert about(verdict, event) == [(2, Outcome.CORRECTED)]
    assert answer(verdict, again) == (2, Outcome.APPLIED)
    assert {made.cause for made in verdict.decisions} == {ruling.event_id}


def test_after_a_rejected_restatement_the_event_is_told_what_is_true_of_it(ledger: Ledger) -> None:
    """As the former settings resolve it, it is reported and its charge stands; the command is rejected."""
    event, again = waiting(ledger)
    verdict = ledger.apply(ruled(item_of(again), apply=False))
    assert answer(verdict, again) == (2, Outcome.REJECTED)
    assert len(standing(ledger)) == 1
    last = latest(ledger)[event.event_id]
    assert (last.outcome, last.charge_id) == (Outcome.REPORTED, standing(ledger)[0].id)
    assert [charge.revenue_code for charge in standing(ledger)] == ["0871"]


@pytest.mark.parametrize("apply", [None, True, False])
def test_a_restatement_read_again_is_not_asked_about_again(ledger: Ledger, apply: bool | None) -> None:
    """The very record, while it waits or after a person decided: nothing follows."""
    _, again = waiting(ledger)
    if apply is not None:
        ledger.apply(ruled(item_of(again), apply=apply))
    before = standing(ledger)
    verdict = ledger.apply(again)
    assert (verdict.items, verdict.billing_events) == ([], [])
    assert standing(ledger) == before


@pytest.mark.parametrize("restated_first", [True, False])
def test_a_correction_restated_while_it_waits_ends_as_restated(ledger: Ledger, restated_first: bool) -> None:
    """Settings were put right before the person got to it: both wait, and in whatever order they are
    released, what stands is what the settings of now make of it."""
    ledger.apply(said())
    ledger.apply(acknowledged(standing(ledger)[0]))
    ledger.apply(correction := said(version=2, account_number="A2"))
    ledger.apply(again := restated(correction, revenue_code="0891"))
    items = [item_of(again), item_of(correction)]
    for item in items if restated_first else reversed(items):
        ledger.apply(ruled(item, apply=True))
    assert [(charge.account_number, charge.revenue_code) for charge in standing(ledger)] == [("A2", "0891")]
    last = latest(ledger)[correction.event_id]
    assert last.outcome in (Outcome.CORRECTED, Outcome.REPORTED)
    assert last.charge_id == standing(ledger)[0].id


@pytest.mark.parametrize("later_first", [True, False])
def test_of_two_restatements_that_wait_the_later_holds_in_whatever_order_they_are_released(
    ledger: Ledger, later_first: bool
) -> None:
    """Settings were changed twice while the charge was on a claim: each waits for itself."""
    event, first = waiting(ledger)
    ledger.apply(second := restated(event, 2, revenue_code="0892"))
    items = [item_of(second), item_of(first)]
    for item in items if later_first else reversed(items):
        ledger.apply(ruled(item, apply=True))
    assert [charge.revenue_code for charge in standing(ledger)] == ["0892"]
    assert latest(ledger)[event.event_id].charge_id == standing(ledger)[0].id


def test_a_restatement_that_credited_a_claimed_charge_can_be_rejected(ledger: Ledger) -> None:
    """Had billing spoken first, it would have waited, and been rejected."""
    ledger.apply(event := said())
    [charge] = standing(ledger)
    ledger.apply_all([again := restated(event, revenue_code="0891"), acknowledged(charge)])
    verdict = ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert [charge.revenue_code for charge in standing(ledger)] == ["0871"]
    assert answer(verdict, again) == (2, Outcome.REJECTED)
    last = latest(ledger)[event.event_id]
    assert (last.outcome, last.charge_id) == (Outcome.REPORTED, standing(ledger)[0].id)
    verdict = ledger.apply(again)
    assert (verdict.billing_events, verdict.items) == ([], [])


def test_a_correction_rejected_after_its_restatement_was_released_is_told_what_is_true(
    ledger: Ledger,
) -> None:
    """Two people decide of the same event: either its charge stands, or it is told to be rejected."""
    ledger.apply(said())
    ledger.apply(acknowledged(standing(ledger)[0]))
    ledger.apply(correction := said(version=2, account_number="A2"))
    ledger.apply(again := restated(correction, revenue_code="0891"))
    ledger.apply_all([ruled(item_of(again), apply=True), ruled(item_of(correction), apply=False)])
    [charge] = standing(ledger)
    rejected = latest(ledger)[correction.event_id].outcome is Outcome.REJECTED
    assert rejected != (charge.event_id == correction.event_id)


def test_a_restatement_that_waited_on_a_day_that_is_no_longer_kept_is_refused(ledger: Ledger) -> None:
    """The latest decision of a command is true."""
    _, again = waiting(ledger)
    ledger.apply(Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY))
    last = [each for each in ledger.accounts[PATIENT].decisions if each.event_id == again.because][-1]
    assert (last.sequence, last.outcome, last.reason) == (2, Outcome.REFUSED, Reason.NO_LONGER_KEPT)


def test_a_restatement_that_waited_goes_on_in_number_at_the_survivor() -> None:
    """The merge is released first; at the survivor no charge is on a claim: the restatement is applied."""
    network = Network(Random(0))
    network.hear(event := said())
    network.hear(acknowledged(network.standing(PATIENT)[0]), again := restated(event, revenue_code="0891"))
    network.hear(merged(PATIENT, "UH|2"))
    [_, merge] = network.items
    network.hear(ruled(merge, apply=True))
    assert [charge.revenue_code for charge in network.standing("UH|2")] == ["0891"]
    assert network.outcomes(again.because or "") == [Outcome.HELD, Outcome.APPLIED]


def test_a_restatement_that_is_rejected_at_the_survivor_goes_on_in_number() -> None:
    """It credited a charge before the merge; the command was answered there."""
    network = Network(Random(0))
    network.hear(event := said())
    [charge] = network.standing(PATIENT)
    network.hear(again := restated(event, revenue_code="0891"), merged(PATIENT, "UH|2"))
    network.hear(acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False))
    assert [charge.revenue_code for charge in network.standing("UH|2")] == ["0871"]
    assert network.outcomes(again.because or "") == [Outcome.APPLIED, Outcome.REJECTED]


def test_a_restatement_of_an_unknown_procedure_of_a_merged_patient_is_answered() -> None:
    """Every command gets a decision."""
    network = Network(Random(0))
    network.hear(merged(PATIENT, "UH|2"), again := restated(said()))
    assert len(network.standing("UH|2")) == 1
    assert network.outcomes(again.because or "") == [Outcome.APPLIED]


def test_of_two_restatements_the_first_can_be_rejected_and_the_last_holds(ledger: Ledger) -> None:
    """The first credited what is on a claim; what the second made of the statement nobody ruled against."""
    [charge] = ledger.apply(event := said()).billing_events
    first, second = (
        restated(event, at, command=f"r{at}", revenue_code=code) for at, code in ((1, "0891"), (2, "0892"))
    )
    ledger.apply_all([first, second, acknowledged(charge)])
    verdict = ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert [(made.event_id, made.outcome) for made in verdict.decisions] == [
        (first.because, Outcome.REJECTED)
    ]
    assert [charge.revenue_code for charge in standing(ledger)] == ["0892"]


def test_a_correction_that_is_rejected_stays_so_as_restated(ledger: Ledger) -> None:
    """What the settings made of it since then goes with it."""
    [charge] = ledger.apply(said()).billing_events
    correction = said(version=2, account_number="A2")
    ledger.apply_all([correction, restated(correction, command="r1", revenue_code="0891")])
    ledger.apply_all([acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False)])
    assert [(each.account_number, each.revenue_code) for each in standing(ledger)] == [("A1", "0871")]
    assert latest(ledger)[correction.event_id].outcome is Outcome.REJECTED


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_restatements_of_one_moment_that_of_the_last_id_holds(ledger: Ledger, order: int) -> None:
    """In whatever order they come."""
    ledger.apply(event := said())
    two = [restated(event, command=name, revenue_code=code) for name, code in (("a", "0891"), ("b", "0892"))]
    ledger.apply_all(two[::order])
    assert [charge.revenue_code for charge in standing(ledger)] == ["0892"]


def test_each_restatement_waits_for_a_ruling_of_its_own(ledger: Ledger) -> None:
    """Two commands of one moment, while the charge is on a claim."""
    [charge] = ledger.apply(event := said()).billing_events
    ledger.apply(acknowledged(charge))
    two = [restated(event, command=name, revenue_code="0891") for name in "ab"]
    items = [item.id for each in two for item in ledger.apply(each).items]
    assert len({*items}) == len(items) == len(two)


def test_what_a_rejected_restatement_replaced_is_charged_to_the_survivor() -> None:
    """The patient was merged after it was restated."""
    network = Network(Random(0)).hear(event := said())
    [charge] = network.standing(PATIENT)
    network.hear(restated(event, command="r1", revenue_code="0891"), merged(PATIENT, OTHER))
    network.hear(acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False))
    assert network.standing(PATIENT) == []
    assert [(each.patient, each.revenue_code) for each in network.standing(OTHER)] == [(OTHER, "0871")]


def test_of_restatements_in_any_order_the_highest_that_is_not_rejected_holds(ledger: Ledger) -> None:
    """The later one came first, and credited what is on a claim."""
    [charge] = ledger.apply(event := said()).billing_events
    later, earlier = (
        restated(event, at, command=f"r{at}", revenue_code=code) for at, code in ((2, "0892"), (1, "0891"))
    )
    ledger.apply_all([later, earlier, acknowledged(charge)])
    assert [charge.revenue_code for charge in standing(ledger)] == ["0892"]
    ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert [charge.revenue_code for charge in standing(ledger)] == ["0891"]


def test_a_restatement_that_waits_when_its_patient_is_merged_repeats_no_number() -> None:
    """The survivor has no charge on a claim: it is applied there, its second decision."""
    network = Network(Random(0)).hear(event := said())
    network.hear(acknowledged(network.standing(PATIENT)[0]))
    network.hear(again := restated(event, command="r1", revenue_code="0891"), merged(PATIENT, OTHER))
    [item] = [item for item in network.items if item.startswith("merge:")]
    network.hear(ruled(item, apply=True))
    assert network.outcomes(again.because or "") == [Outcome.HELD, Outcome.APPLIED]
    assert [charge.revenue_code for charge in network.standing(OTHER)] == ["0891"]


def test_what_is_restated_while_it_waits_waits_with_it(ledger: Ledger) -> None:
    """Though by the settings of now it would credit nothing: a person has yet to decide."""
    ledger.apply(said())
    ledger.apply(acknowledged(standing(ledger)[0]))
    ledger.apply(correction := said(version=2, account_number="A2"))
    verdict = ledger.apply(again := restated(correction, account_number="A1"))
    assert answer(verdict, again) == (1, Outcome.HELD)
    assert [item.id for item in verdict.items] == [item_of(again)]
    ledger.apply(ruled(item_of(correction), apply=False))
    assert verdict.billing_events == []
    assert [charge.account_number for charge in standing(ledger)] == ["A1"]
