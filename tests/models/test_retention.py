"""Retention: what is no longer kept is never charged again, and what was charged of it stays."""

from random import Random

import pytest
from msgspec.structs import replace

from models.account import Account
from models.billing import BillingEvent, Outcome, Reason
from models.entries import Expiry, item_of
from models.procedures import ProcedureEvent, Status
from tests.models.entered import (
    acknowledged,
    allowed,
    command_event,
    merged,
    opened,
    ruled,
    taken_back,
    unmerged,
)
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import MONDAY, PATIENT, TUESDAY, said, sent, standing, withdrawn


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def forgotten() -> Expiry:
    """What is before Tuesday is no longer kept."""
    return Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY)


def test_days_before_the_date_are_removed_and_their_charges_stay(ledger: Ledger) -> None:
    """No billing event follows; the command is applied; later days are as they were."""
    ledger.apply_all([said("A"), said("B", service_date=TUESDAY)])
    verdict = ledger.apply(command := forgotten())
    assert verdict.billing_events == []
    assert [(made.event_id, made.outcome) for made in verdict.decisions] == [
        (command.event_id, Outcome.APPLIED)
    ]
    assert {day for _, day in ledger.days} == {TUESDAY}
    assert len(standing(ledger)) == 2


@pytest.mark.parametrize("event", [said("A", version=2, account_number="A2"), said("B")])
def test_what_is_stated_of_a_day_that_is_no_longer_kept_is_expired(
    ledger: Ledger, event: ProcedureEvent
) -> None:
    """A late correction and a new procedure alike: told, never charged."""
    ledger.apply_all([said("A"), forgotten()])
    verdict = ledger.apply(event)
    assert [made.outcome for made in verdict.decisions] == [Outcome.EXPIRED]
    assert verdict.billing_events == []


def test_the_record_of_what_is_no_longer_kept_read_again_repeats_no_number(ledger: Ledger) -> None:
    """Its number is above all that may have been used."""
    ledger.apply_all([event := said(), said(version=2), forgotten()])
    [made] = ledger.apply(event).decisions
    assert (made.outcome, made.sequence) == (Outcome.EXPIRED, 3)


def test_a_withdrawal_read_again_after_its_day_is_no_longer_kept_repeats_no_number(ledger: Ledger) -> None:
    """It says no date of its own: either the identical decision or a higher number."""
    ledger.apply(said())
    first = ledger.apply(event := withdrawn()).decisions[0]
    ledger.apply(forgotten())
    again = ledger.apply(event).decisions[0]
    assert again == first or again.sequence > first.sequence


def test_a_superseded_statement_read_again_is_not_charged_on_its_own_day(ledger: Ledger) -> None:
    """Stated of Tuesday, corrected to Monday, forgotten; then its first record is read again."""
    ledger.apply_all([event := said(service_date=TUESDAY), said(version=2), forgotten()])
    first = ledger.accounts[PATIENT].decisions[0]
    again = ledger.apply(event)
    assert again.billing_events == []
    assert again.decisions[0].sequence > first.sequence


def test_an_acknowledgement_read_again_after_its_day_is_no_longer_kept_repeats_no_number(
    ledger: Ledger,
) -> None:
    """It gives the identical decision."""
    [charge] = ledger.apply(said()).billing_events
    first = ledger.apply(ack := acknowledged(charge)).decisions
    ledger.apply(forgotten())
    assert ledger.apply(ack).decisions == first


def test_an_earlier_date_than_before_brings_nothing_back(ledger: Ledger) -> None:
    """The watermark only rises."""
    ledger.apply_all([said(), forgotten()])
    ledger.apply(Expiry(patient=PATIENT, event_id=command_event(), before=MONDAY))
    assert [made.outcome for made in ledger.apply(said("B")).decisions] == [Outcome.EXPIRED]


def test_nothing_is_kept_of_what_waited_on_a_day_that_is_no_longer_kept(ledger: Ledger) -> None:
    """Forgetting is forgetting: what waits on the worklist has nothing to correct any more."""
    [charge] = ledger.apply(said()).billing_events
    ledger.apply_all([acknowledged(charge), event := withdrawn()])
    verdict = ledger.apply(command := forgotten())
    assert ledger.patients[PATIENT].parked == {}
    [expired] = [made for made in verdict.decisions if made.event_id == event.event_id]
    assert (expired.sequence, expired.outcome, expired.cause) == (2, Outcome.EXPIRED, command.event_id)
    assert standing(ledger) == [charge]


@pytest.mark.parametrize(
    "event", [said(version=2, service_date=TUESDAY), withdrawn(), said(), said(status=Status.IN_PROGRESS)]
)
def test_whatever_is_said_later_of_what_is_no_longer_kept_is_expired(
    ledger: Ledger, event: ProcedureEvent
) -> None:
    """Even of a later day: what was charged of it stays, so that it would be charged twice."""
    ledger.apply_all([said(), forgotten()])
    verdict = ledger.apply(event)
    [made] = verdict.decisions
    assert (made.outcome, made.event_id, made.charge_id) == (Outcome.EXPIRED, event.event_id, None)
    assert made.sequence > 1
    assert (verdict.billing_events, verdict.news) == ([], [])
    assert len(standing(ledger)) == 1


def test_what_the_survivor_no_longer_keeps_is_expired_at_home() -> None:
    """Merged, forgotten at the survivor, then corrected to a later day: home knows the number that was used
    there, and hands nothing over any more."""
    network = Network(Random(0))
    network.hear(first := said(patient="UH|1"), merged("UH|1", PATIENT), forgotten())
    network.hear(event := said(version=2, patient="UH|1", service_date=TUESDAY), first)
    [made] = network.decisions(event.event_id)
    highest = max(each.sequence for each in network.decisions(first.event_id) if each.patient == PATIENT)
    assert (made.outcome, made.patient) == (Outcome.EXPIRED, "UH|1")
    assert made.sequence > highest
    numbers = [each.sequence for each in network.decisions(first.event_id)]
    assert len(numbers) == len({*numbers})
    assert network.decisions(first.event_id)[-1].outcome is Outcome.EXPIRED
    assert [charge.service_date for charge in network.standing(PATIENT)] == [MONDAY]
    assert network.standing("UH|1") == []


def before_tuesday(*accounts: Account) -> list[BillingEvent]:
    return [each for account in accounts for each in account.billing_events if each.service_date < TUESDAY]


def test_a_correction_to_a_later_day_that_is_rejected_charges_no_forgotten_day(ledger: Ledger) -> None:
    """Corrected to Tuesday, forgotten before that; only then a person rejects what credited the charge."""
    [charge] = ledger.apply(said()).billing_events
    ledger.apply_all([said(version=2, service_date=TUESDAY), acknowledged(charge), forgotten()])
    verdict = ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert [each for each in verdict.billing_events if each.service_date < TUESDAY] == []


def test_a_resend_that_uncovers_a_statement_of_a_forgotten_day_charges_nothing_there(ledger: Ledger) -> None:
    """Monday as of 12, Tuesday as of 13, forgotten before Tuesday; then Tuesday's again, as of 11."""
    tuesday = sent("2025-03-10T13", service_date=TUESDAY)
    ledger.apply_all([sent("2025-03-10T12"), tuesday, forgotten()])
    verdict = ledger.apply(sent("2025-03-10T11", service_date=TUESDAY))
    assert [each for each in verdict.billing_events if each.service_date < TUESDAY] == []


def test_a_merge_charges_no_day_that_the_survivor_no_longer_keeps() -> None:
    """Both had a collection on Monday; the survivor's is forgotten, and its charge stays the only one."""
    network = Network(Random(0))
    network.hear(said("S"), forgotten(), said("L", patient="UH|1"), merged("UH|1", PATIENT))
    assert len(before_tuesday(network.accounts[PATIENT])) == 1


def test_an_undone_merge_charges_no_day_that_home_no_longer_keeps() -> None:
    """Charged, merged away, and forgotten at home while the survivor has it."""
    network = Network(Random(0))
    merge = merged(PATIENT, "UH|2")
    network.hear(said(), merge, forgotten())
    before = before_tuesday(network.accounts[PATIENT])
    network.hear(unmerged(merge))
    assert before_tuesday(network.accounts[PATIENT]) == before


@pytest.mark.parametrize("balance", [True, False])
def test_a_ruling_about_a_forgotten_day_leaves_nothing_behind(ledger: Ledger, balance: bool) -> None:
    """A unit taken back or charged before go-live credited a charge on a claim; forgotten, then rejected."""
    ledger.apply_all([said("A")] if balance else [said("A"), said("B"), allowed()])
    charge = standing(ledger)[-1]
    ledger.apply_all([opened() if balance else taken_back(), acknowledged(charge), forgotten()])
    ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert (PATIENT, MONDAY) not in ledger.days


def test_an_acknowledgement_of_no_charge_read_again_after_something_is_gone_is_refused_still(
    ledger: Ledger,
) -> None:
    """It gives the identical decision."""
    [charge] = ledger.apply(said()).billing_events
    first = ledger.apply(ack := acknowledged(charge, charge_id="0" * 32)).decisions
    ledger.apply(forgotten())
    assert ledger.apply(ack).decisions == first


def test_an_acknowledgement_of_no_charge_is_refused_after_something_is_gone(ledger: Ledger) -> None:
    """Ids of charges are remembered when their day is forgotten: any other there never was."""
    [charge] = ledger.apply(said()).billing_events
    ledger.apply(forgotten())
    [answer] = ledger.apply(acknowledged(charge, charge_id="0" * 32)).decisions
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.UNKNOWN_CHARGE)


def test_acknowledgements_of_no_charge_leave_nothing_in_the_state(ledger: Ledger) -> None:
    """However many a receiver sends: what the ledger keeps of a patient does not grow by them."""
    [charge] = ledger.apply(said()).billing_events
    before = ledger.patients[PATIENT]
    ledger.apply_all(acknowledged(charge, charge_id=f"{number:032}") for number in range(3))
    assert ledger.patients[PATIENT] == before


def test_an_acknowledgement_of_a_charge_on_a_forgotten_day_that_was_left_is_applied_still(
    ledger: Ledger,
) -> None:
    """Its procedure was corrected to Tuesday and is kept; what was charged on Monday is not."""
    [charge] = ledger.apply(said()).billing_events
    first = ledger.apply(ack := acknowledged(charge)).decisions
    ledger.apply(correction := said(version=2, service_date=TUESDAY))
    ledger.apply_all([ruled(item_of(correction), apply=True), forgotten()])
    assert ledger.apply(ack).decisions == first


def test_what_comes_for_the_first_time_is_not_told_to_be_repeated(ledger: Ledger) -> None:
    """A correction of what is gone: its number is above those of the others, but nobody heard it before."""
    ledger.apply_all([said(), forgotten()])
    [made] = ledger.apply(said(version=2)).decisions
    assert not made.repeated


def test_a_date_that_was_too_old_and_is_corrected_is_charged_in_either_order() -> None:
    """A mistyped year, say: what stands does not depend on which statement came first."""
    stand = []
    for corrected_first in (True, False):
        ledger = Ledger().apply_all([forgotten()])
        both = [said(version=2, service_date=TUESDAY), said(version=1)]
        ledger.apply_all(both if corrected_first else reversed(both))
        stand.append([charge.service_date for charge in standing(ledger)])
    assert stand[0] == stand[1]


@pytest.mark.parametrize("merged_last", [True, False])
def test_what_is_handed_to_who_forgot_its_day_is_not_charged_there(merged_last: bool) -> None:
    """Nor is a number of a unit used again. Home did not forget it: there it is charged after the undoing."""
    network, event, merge = Network(Random(0)), said(patient="UH|1"), merged("UH|1", PATIENT)
    network.hear(said("B"), forgotten(), *((event, merge) if merged_last else (merge, event)))
    assert network.outcomes(event.event_id)[-1] is Outcome.EXPIRED
    assert [charge.procedure.procedure_id for charge in network.standing(PATIENT)] == ["B"]
    network.hear(unmerged(merge))
    assert [charge.procedure.procedure_id for charge in network.standing("UH|1")] == ["A"]


def test_an_acknowledgement_of_what_was_credited_on_a_forgotten_day_is_applied(ledger: Ledger) -> None:
    """Nothing stood there any more when the day was removed."""
    [charge] = ledger.apply(said()).billing_events
    ledger.apply_all([said(version=2, service_date=TUESDAY), forgotten()])
    assert [made.outcome for made in ledger.apply(acknowledged(charge)).decisions] == [Outcome.APPLIED]


def test_a_restatement_read_again_after_its_day_is_no_longer_kept_is_answered_as_it_was(
    ledger: Ledger,
) -> None:
    """It had its effect."""
    ledger.apply(event := said())
    again = replace(event, restated=1, command="r1", because=command_event())
    first = ledger.apply(again).answers
    ledger.apply(forgotten())
    assert ledger.apply(again).answers == first


def test_a_restatement_that_waits_when_its_day_is_forgotten_is_refused(ledger: Ledger) -> None:
    """A person is not asked any more."""
    [charge] = ledger.apply(event := said()).billing_events
    again = replace(event, restated=1, command="r1", because=command_event(), revenue_code="0891")
    ledger.apply_all([acknowledged(charge), again])
    answer = ledger.apply(command := forgotten()).answers[-1]
    assert (answer.event_id, answer.sequence, answer.outcome, answer.cause) == (
        again.because,
        2,
        Outcome.REFUSED,
        command.event_id,
    )
    assert ledger.patients[PATIENT].parked == {}
