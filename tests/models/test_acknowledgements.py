"""Acknowledgements: what billing did with a charge, and what then needs a person."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from models.billing import Acknowledged, BillingEvent, Kind, Outcome, ProcedureRef, Reason
from models.entries import AnyEntry, Expiry, Moved, Recall, Ruling, Survivor, item_of
from models.posting import Posting
from models.procedures import ProcedureEvent, Status
from models.worklist import Kind as ItemKind
from tests.models.entered import acknowledged, allowed, command_event, opened, ruled, taken_back
from tests.models.ledger import Ledger
from tests.models.said import (
    MONDAY,
    PATIENT,
    TUESDAY,
    kinds,
    latest,
    said,
    sent,
    sent_withdrawn,
    standing,
    told,
    withdrawn,
)

OTHER = "UH|0099999"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def charged(ledger: Ledger, event: ProcedureEvent | None = None) -> BillingEvent:
    """The charge of a collection on Monday."""
    [charge] = ledger.apply(event or said()).billing_events
    return charge


def claimed(ledger: Ledger, event: ProcedureEvent | None = None) -> BillingEvent:
    """A charge that billing put on a claim."""
    charge = charged(ledger, event)
    ledger.apply(acknowledged(charge))
    return charge


def shown(ledger: Ledger) -> list[tuple[str, Any, str | None]]:
    """What stands, as billing sees it: the procedure, its day and its account."""
    return sorted(
        (charge.procedure.procedure_id, charge.service_date, charge.account_number)
        for charge in standing(ledger)
    )


# What billing says.


def test_a_charge_counts_as_acknowledged_from_the_first_answer_until_its_credit(ledger: Ledger) -> None:
    """A further answer changes nothing; what is charged in its stead is not acknowledged yet."""
    charge = charged(ledger)
    accepted = acknowledged(charge, Acknowledged.ACCEPTED)
    assert ledger.apply(accepted).acknowledged == [(charge, 1)]
    assert ledger.apply(accepted).acknowledged == []
    assert ledger.apply(acknowledged(charge, Acknowledged.REFUSED)).acknowledged == []
    assert ledger.apply(said("B")).acknowledged == []
    corrected = ledger.apply(said(version=2, account_number="A2"))
    assert [event.kind for event in corrected.billing_events] == [Kind.CREDIT, Kind.CHARGE]
    assert corrected.acknowledged == [(charge, -1)]
    assert ledger.apply(acknowledged(charge)).acknowledged == []


@pytest.mark.parametrize("status", [Acknowledged.ACCEPTED, Acknowledged.ON_CLAIM])
def test_an_acknowledgement_is_applied_and_charges_nothing(ledger: Ledger, status: Acknowledged) -> None:
    """Nothing waits for a person. Its decision bears no charge: it would say another thing once that is
    credited, and yet have the same number."""
    charge = charged(ledger)
    verdict = ledger.apply(ack := acknowledged(charge, status))
    [answer] = verdict.decisions
    assert (answer.event_id, answer.sequence, answer.cause) == (ack.event_id, 1, ack.event_id)
    assert (answer.outcome, answer.patient, answer.charge_id) == (Outcome.APPLIED, PATIENT, None)
    assert (verdict.billing_events, verdict.items) == ([], [])
    assert standing(ledger) == [charge]


def test_a_charge_that_billing_refused_stands_and_a_person_is_told(ledger: Ledger) -> None:
    """The item says why, in billing's words, and names charge and event."""
    charge = charged(ledger)
    verdict = ledger.apply(acknowledged(charge, Acknowledged.REFUSED, reason="no such account"))
    [item] = verdict.items
    assert (item.kind, item.charge_id, item.detail) == (
        ItemKind.REFUSED_CHARGE,
        charge.id,
        "no such account",
    )
    assert (item.patient, item.facility, item.service_date) == (PATIENT, "north", MONDAY)
    assert item.event_ids == (charge.event_id,)
    assert standing(ledger) == [charge]


def test_an_unknown_charge_is_refused(ledger: Ledger) -> None:
    """No charge of this patient ever had that id."""
    charge = charged(ledger)
    verdict = ledger.apply(acknowledged(charge, charge_id="0" * 32))
    [answer] = verdict.decisions
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.UNKNOWN_CHARGE)
    assert verdict.items == []


def test_an_acknowledgement_of_another_patients_charge_is_refused(ledger: Ledger) -> None:
    """Whose charge it is, billing has to say rightly."""
    charge = charged(ledger)
    [answer] = ledger.apply(acknowledged(charge, patient=OTHER)).decisions
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.UNKNOWN_CHARGE)


@pytest.mark.parametrize(
    "order", [*permutations((Acknowledged.ACCEPTED, Acknowledged.REFUSED, Acknowledged.ON_CLAIM))]
)
def test_of_several_acknowledgements_on_a_claim_is_what_holds(
    ledger: Ledger, order: tuple[Acknowledged, ...]
) -> None:
    """In whatever order they come: a correction then waits for a person."""
    charge = charged(ledger)
    ledger.apply_all(acknowledged(charge, status) for status in order)
    assert told(ledger.apply(withdrawn())) == [("A", 1, Outcome.HELD)]


@pytest.mark.parametrize("status", [None, Acknowledged.ACCEPTED, Acknowledged.REFUSED])
def test_what_is_not_on_a_claim_is_corrected_at_once(ledger: Ledger, status: Acknowledged | None) -> None:
    """Accepted or refused, billing can still take it back by itself."""
    charge = charged(ledger)
    if status:
        ledger.apply(acknowledged(charge, status))
    assert [event.kind for event in ledger.apply(withdrawn()).billing_events] == [Kind.CREDIT]


def test_the_next_charge_of_a_unit_is_on_no_claim(ledger: Ledger) -> None:
    """What billing said was of the charge before it."""
    charge = claimed(ledger)
    ledger.apply_all([correction := said(version=2, account_number="A2")])
    ledger.apply(ruled(item_of(correction), apply=True))
    assert standing(ledger) != [charge]
    assert kinds(ledger.apply(withdrawn(version=3))) == [(Kind.CREDIT, "A", 1, 4, Reason.FILLER_WITHDRAWN)]


# What would credit a charge on a claim waits, whole.


def of_a_move(ledger: Ledger) -> Moved:
    return Moved(
        patient=PATIENT, event_id="lab.procedures:1:7:0", procedure=f"lab|A|{PATIENT}", away=True, at=1
    )


def of_a_merge(ledger: Ledger) -> Survivor:
    return Survivor(patient=PATIENT, event_id=command_event(), survivor=OTHER, at=1)


WOULD_CREDIT = {
    "a correction": lambda _: said(version=2, account_number="A2"),
    "a correction to another day": lambda _: said(version=2, service_date=TUESDAY),
    "a withdrawal": lambda _: withdrawn(),
    "a move to another patient": of_a_move,
    "a merge": of_a_merge,
    "an opening balance": lambda _: opened(),
}


@pytest.mark.parametrize("entry", WOULD_CREDIT.values(), ids=WOULD_CREDIT)
def test_what_would_credit_a_charge_on_a_claim_waits_whole(ledger: Ledger, entry: Any) -> None:
    """No billing event, nothing sent on, one item that names the charge; all else is as it was."""
    charge = claimed(ledger)
    verdict = ledger.apply(waiting := entry(ledger))
    [item] = verdict.items
    assert (item.kind, item.reason, item.charge_id) == (
        ItemKind.CORRECTION,
        Reason.ON_CLAIM,
        charge.id,
    )
    assert item.event_ids == (waiting.event_id,)
    assert (item.patient, item.facility, item.service_date) == (PATIENT, "north", MONDAY)
    assert (verdict.billing_events, verdict.sent, verdict.news) == ([], [], [])
    assert standing(ledger) == [charge]
    assert ledger.days[PATIENT, MONDAY].truth(f"lab|A|{PATIENT}", charge.event_id).charge_id == charge.id


@pytest.mark.parametrize("entry", WOULD_CREDIT.values(), ids=WOULD_CREDIT)
def test_what_waits_shows_no_patient_in_the_id_of_its_item(ledger: Ledger, entry: Any) -> None:
    """Ids of the worklist are seen by people who may not see whom they are about."""
    claimed(ledger)
    [item] = ledger.apply(entry(ledger)).items
    assert PATIENT not in item.id
    assert OTHER not in item.id


@pytest.mark.parametrize("entry", WOULD_CREDIT.values(), ids=WOULD_CREDIT)
def test_what_waited_has_its_whole_effect_when_it_is_released(ledger: Ledger, entry: Any) -> None:
    """The credit names the release as its cause; and what follows is what would have followed at once."""
    charge = claimed(ledger)
    waiting = entry(ledger)
    [item] = ledger.apply(waiting).items
    verdict = ledger.apply(ruling := ruled(item.id, apply=True))
    credit = verdict.billing_events[0]
    assert (credit.kind, credit.reverses, credit.cause) == (Kind.CREDIT, charge.id, ruling.event_id)

    at_once = Ledger()
    charged(at_once, None)
    expected = at_once.apply(waiting)
    assert kinds(verdict) == kinds(expected)
    assert [type(each) for each in verdict.sent] == [type(each) for each in expected.sent]
    assert shown(ledger) == shown(at_once)


def test_what_waits_shows_what_was_said_unchanged(ledger: Ledger) -> None:
    """The state keeps it whole, so that its release needs nothing else."""
    claimed(ledger)
    ledger.apply(event := withdrawn())
    assert msgspec.to_builtins(ledger.patients[PATIENT].parked[item_of(event)]) == msgspec.to_builtins(event)


@pytest.mark.parametrize("entry", WOULD_CREDIT.values(), ids=WOULD_CREDIT)
def test_what_is_rejected_never_has_its_effect(ledger: Ledger, entry: Any) -> None:
    """Neither now nor when the very record is read again: the charge stands."""
    charge = claimed(ledger)
    waiting = entry(ledger)
    [item] = ledger.apply(waiting).items
    for each in (ruled(item.id, apply=False), waiting):
        verdict = ledger.apply(each)
        assert (verdict.billing_events, verdict.sent, verdict.items) == ([], [], [])
    assert standing(ledger) == [charge]


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("entry", WOULD_CREDIT.values(), ids=WOULD_CREDIT)
def test_a_second_ruling_does_nothing(ledger: Ledger, entry: Any, apply: bool) -> None:
    """Whatever it says: what waited is gone."""
    claimed(ledger)
    [item] = ledger.apply(entry(ledger)).items
    ledger.apply(ruled(item.id, apply=apply))
    for again in (True, False):
        verdict = ledger.apply(ruled(item.id, apply=again))
        assert (verdict.billing_events, verdict.decisions, verdict.sent) == ([], [], [])


def test_a_ruling_about_nothing_does_nothing(ledger: Ledger) -> None:
    """An item of another patient, or of none."""
    claimed(ledger)
    verdict = ledger.apply(ruled("correction:lab.procedures:0:999999:0", apply=True))
    assert (verdict.billing_events, verdict.decisions) == ([], [])


def test_a_correction_that_waits_is_held_released_and_true_again(ledger: Ledger) -> None:
    """Its decisions: held for a claim, then corrected, with the release as the cause."""
    claimed(ledger)
    [held] = ledger.apply(event := said(version=2, account_number="A2")).decisions
    assert (held.outcome, held.reason, held.sequence) == (Outcome.HELD, Reason.ON_CLAIM, 1)
    verdict = ledger.apply(ruling := ruled(item_of(event), apply=True))
    corrected, first = verdict.decisions
    assert (corrected.event_id, corrected.sequence, corrected.outcome) == (
        event.event_id,
        2,
        Outcome.CORRECTED,
    )
    assert (corrected.cause, first.cause) == (ruling.event_id, ruling.event_id)
    assert (first.outcome, first.of) == (Outcome.SUPERSEDED, event.event_id)


def test_a_rejected_correction_is_told_to_be_rejected(ledger: Ledger) -> None:
    """By a person, with the next number, caused by the ruling."""
    claimed(ledger)
    ledger.apply(event := withdrawn())
    [rejected] = ledger.apply(ruling := ruled(item_of(event), apply=False)).decisions
    assert (rejected.event_id, rejected.sequence, rejected.cause) == (event.event_id, 2, ruling.event_id)
    assert (rejected.outcome, rejected.reason) == (Outcome.REJECTED, Reason.REJECTED_BY_PERSON)


def test_a_correction_that_waits_is_held_again_when_its_record_is_read_again(ledger: Ledger) -> None:
    """Nothing is put on the worklist a second time."""
    claimed(ledger)
    ledger.apply(event := withdrawn())
    verdict = ledger.apply(event)
    assert told(verdict) == [("A", 2, Outcome.HELD)]
    assert verdict.items == []


def test_a_resend_of_a_rejected_correction_stays_rejected(ledger: Ledger) -> None:
    """The same content in another record is repeated, of the one that was rejected."""
    charge = claimed(ledger)
    ledger.apply(event := withdrawn())
    ledger.apply(ruled(item_of(event), apply=False))
    verdict = ledger.apply(withdrawn())
    [made] = verdict.decisions
    assert (made.outcome, made.of) == (Outcome.REPEATED, event.event_id)
    assert (verdict.billing_events, verdict.items) == ([], [])
    assert standing(ledger) == [charge]


def test_a_resend_of_a_rejected_cancellation_stays_rejected_whatever_its_message_time(ledger: Ledger) -> None:
    """Where only the message time orders, too."""
    claimed(ledger, sent("2025-03-10T10"))
    ledger.apply(event := sent_withdrawn("2025-03-10T11"))
    ledger.apply(ruled(item_of(event), apply=False))
    for time in ("2025-03-10T09", "2025-03-10T12"):
        assert told(ledger.apply(sent_withdrawn(time))) == [("A", 1, Outcome.REPEATED)]
    assert len(standing(ledger)) == 1


def test_a_correction_after_a_rejected_one_waits_for_itself(ledger: Ledger) -> None:
    """A higher version says something new: it is asked about again."""
    claimed(ledger)
    ledger.apply(event := withdrawn())
    ledger.apply(ruled(item_of(event), apply=False))
    verdict = ledger.apply(later := withdrawn(version=3))
    assert told(verdict) == [("A", 1, Outcome.HELD)]
    assert [item.id for item in verdict.items] == [item_of(later)]


def test_a_correction_that_changes_nothing_of_the_charge_does_not_wait(ledger: Ledger) -> None:
    """There is nothing to credit: it is corrected at once, and what billing said of the charge stays."""
    claimed(ledger)
    assert told(ledger.apply(said(version=2)))[0] == ("A", 1, Outcome.CORRECTED)
    assert told(ledger.apply(withdrawn(version=3))) == [("A", 1, Outcome.HELD)]


def test_others_of_the_day_are_decided_while_one_waits(ledger: Ledger) -> None:
    """Only what would credit the charge waits."""
    claimed(ledger)
    ledger.apply(withdrawn("A"))
    [made] = ledger.apply(said("B")).decisions
    assert (made.outcome, made.covered_by) == (Outcome.ALREADY_REPORTED, ProcedureRef("lab", "A", "north"))


def test_what_would_credit_another_procedures_charge_on_a_claim_waits(ledger: Ledger) -> None:
    """The first of two is withdrawn, and unit 2, which would be credited, is on a claim: all of it waits."""
    ledger.apply_all([allowed(), said("A"), said("B")])
    one, two = standing(ledger)
    ledger.apply(acknowledged(two))
    verdict = ledger.apply(event := withdrawn("A"))
    assert verdict.billing_events == []
    assert verdict.items[0].charge_id == two.id
    assert standing(ledger) == [one, two]
    ledger.apply(ruled(item_of(event), apply=True))
    assert shown(ledger) == [("B", MONDAY, "A1")]


def test_an_override_taken_back_waits_while_unit_two_is_on_a_claim(ledger: Ledger) -> None:
    """Held, then applied with the next number, caused by the release."""
    ledger.apply_all([allowed(), said("A"), said("B")])
    ledger.apply(acknowledged(standing(ledger)[1]))
    verdict = ledger.apply(command := taken_back())
    [item], [held] = verdict.items, verdict.decisions
    assert (item.id, item.kind) == ("override:t1", ItemKind.CORRECTION)
    assert (held.event_id, held.outcome, held.reason) == (command.event_id, Outcome.HELD, Reason.ON_CLAIM)
    verdict = ledger.apply(ruling := ruled(item.id, apply=True))
    assert kinds(verdict) == [(Kind.CREDIT, "B", 2, 2, Reason.OVERRIDE)]
    answer = verdict.decisions[-1]
    assert (answer.event_id, answer.sequence, answer.outcome, answer.cause) == (
        command.event_id,
        2,
        Outcome.APPLIED,
        ruling.event_id,
    )


def test_an_override_whose_taking_back_is_rejected_stands(ledger: Ledger) -> None:
    """Two units stand on, and the command is told to be rejected."""
    ledger.apply_all([allowed(), said("A"), said("B")])
    ledger.apply(acknowledged(standing(ledger)[1]))
    ledger.apply(command := taken_back())
    [answer] = ledger.apply(ruled("override:t1", apply=False)).decisions
    assert (answer.event_id, answer.sequence, answer.outcome) == (command.event_id, 2, Outcome.REJECTED)
    assert [charge.unit for charge in standing(ledger)] == [1, 2]


def test_the_undoing_of_a_merge_waits_while_the_survivors_charge_is_on_a_claim(ledger: Ledger) -> None:
    """The survivor is asked to hand the procedure back: it keeps it until a person says so."""
    losing = Ledger()
    losing.apply(said(patient=OTHER))
    [handover] = losing.apply(Survivor(patient=OTHER, event_id=command_event(), survivor=PATIENT, at=1)).sent
    [charge] = ledger.apply(handover).billing_events
    ledger.apply(acknowledged(charge))
    back = Recall(patient=PATIENT, event_id=command_event(), name=f"lab|A|{OTHER}", hands=1)
    verdict = ledger.apply(back)
    [item] = verdict.items
    assert (verdict.billing_events, verdict.sent, item.charge_id) == ([], [], charge.id)
    verdict = ledger.apply(ruled(item.id, apply=True))
    assert [event.reverses for event in verdict.billing_events] == [charge.id]
    assert [each.patient for each in verdict.sent] == [OTHER]


@pytest.mark.parametrize("apply", [True, False])
def test_of_two_corrections_that_wait_the_higher_holds_in_whatever_order_they_are_released(
    ledger: Ledger, apply: bool
) -> None:
    """The lower one is superseded if it is released last; if it is rejected, rejected."""
    claimed(ledger)
    lower, higher = said(version=2, account_number="A2"), said(version=3, account_number="A3")
    ledger.apply_all([lower, higher])
    ledger.apply(ruled(item_of(higher), apply=True))
    ledger.apply(ruled(item_of(lower), apply=apply))
    assert shown(ledger) == [("A", MONDAY, "A3")]
    assert latest(ledger)[lower.event_id].outcome is (Outcome.SUPERSEDED if apply else Outcome.REJECTED)


def test_a_correction_can_be_rejected_after_its_day_is_no_longer_kept(ledger: Ledger) -> None:
    """Forgotten in the meantime: there is nothing left to do, and no record is a dead letter for it."""
    claimed(ledger)
    ledger.apply(event := withdrawn())
    ledger.apply(Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY))
    verdict = ledger.apply(ruled(item_of(event), apply=False))
    assert (verdict.billing_events, verdict.days) == ([], [])
    assert [made.outcome for made in verdict.decisions] == [Outcome.REFUSED]


def test_a_correction_released_after_its_day_is_no_longer_kept_repeats_no_number(ledger: Ledger) -> None:
    """It says another, later day: whatever becomes of it, its decision has a higher number."""
    claimed(ledger)
    ledger.apply(event := said(version=2, service_date=TUESDAY))
    ledger.apply(Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY))
    ledger.apply(ruled(item_of(event), apply=True))
    made = [made for made in ledger.accounts[PATIENT].decisions if made.event_id == event.event_id]
    assert [(each.sequence, each.outcome) for each in made] == [(1, Outcome.HELD), (2, Outcome.EXPIRED)]


def test_a_facility_that_does_not_hold_lets_corrections_through(ledger: Ledger) -> None:
    """Its setting says so with the statement whose charge it is: credited at once, claim or not."""
    claimed(ledger, said(held_on_claim=False))
    verdict = ledger.apply(withdrawn())
    assert [event.kind for event in verdict.billing_events] == [Kind.CREDIT]
    assert verdict.items == []


def test_whether_to_hold_is_said_by_the_statement_whose_charge_it_is(ledger: Ledger) -> None:
    """Not by what corrects it, which may know nothing of the facility."""
    claimed(ledger)
    assert told(ledger.apply(withdrawn(held_on_claim=False))) == [("A", 1, Outcome.HELD)]


# On a claim, but credited before billing said so.


def late(ledger: Ledger, correction: ProcedureEvent) -> tuple[BillingEvent, Posting]:
    """The correction comes first, then that the charge is on a claim."""
    charge = charged(ledger)
    ledger.apply(correction)
    return charge, ledger.apply(acknowledged(charge))


def test_a_charge_credited_before_billing_said_it_is_on_a_claim_is_an_item(ledger: Ledger) -> None:
    """It names the charge and the event that credited it; nothing more is charged or credited."""
    charge, verdict = late(ledger, correction := withdrawn())
    [item] = verdict.items
    assert (item.id, item.kind, item.reason) == (
        f"claimed:{charge.id}",
        ItemKind.CLAIMED,
        Reason.ON_CLAIM,
    )
    assert (item.charge_id, item.event_ids) == (charge.id, (correction.event_id,))
    assert (item.patient, item.service_date) == (PATIENT, MONDAY)
    assert verdict.billing_events == []
    assert [made.outcome for made in verdict.decisions] == [Outcome.APPLIED]


def test_a_charge_credited_before_a_merge_is_still_known(ledger: Ledger) -> None:
    """Charged, withdrawn, merged away; then billing says it is on a claim: a person must hear of it."""
    charge = charged(ledger)
    ledger.apply_all([withdrawn(), of_a_merge(ledger)])
    verdict = ledger.apply(acknowledged(charge))
    assert [made.outcome for made in verdict.decisions] == [Outcome.APPLIED]
    assert [item.kind for item in verdict.items] == [ItemKind.CLAIMED]


@pytest.mark.parametrize("status", [Acknowledged.ACCEPTED, Acknowledged.REFUSED])
def test_a_credited_charge_that_is_on_no_claim_needs_nobody(ledger: Ledger, status: Acknowledged) -> None:
    """Accepted or refused, it is gone already."""
    charge = charged(ledger)
    ledger.apply(withdrawn())
    verdict = ledger.apply(acknowledged(charge, status))
    assert verdict.items == []
    assert [made.outcome for made in verdict.decisions] == [Outcome.APPLIED]


def test_a_facility_that_does_not_hold_is_asked_nothing_in_either_order(ledger: Ledger) -> None:
    """Its corrections go through, whether billing spoke before or after."""
    charge = charged(ledger, said(held_on_claim=False))
    ledger.apply(withdrawn())
    assert ledger.apply(acknowledged(charge)).items == []


def test_a_credit_that_a_person_released_is_not_asked_about_again(ledger: Ledger) -> None:
    """Billing says once more that the charge is on a claim: whoever released the correction knew."""
    charge = claimed(ledger)
    ledger.apply_all([event := withdrawn(), ruled(item_of(event), apply=True)])
    verdict = ledger.apply(acknowledged(charge))
    assert verdict.items == []
    assert [made.outcome for made in verdict.decisions] == [Outcome.APPLIED]


def test_a_person_may_leave_the_credit_of_a_claimed_charge(ledger: Ledger) -> None:
    """Released: nothing changes."""
    charge, _ = late(ledger, withdrawn())
    verdict = ledger.apply(ruled(f"claimed:{charge.id}", apply=True))
    assert (verdict.billing_events, verdict.decisions) == ([], [])
    assert standing(ledger) == []


def test_a_person_may_reject_what_credited_a_claimed_charge(ledger: Ledger) -> None:
    """The correction does not hold, and what it corrected is charged again."""
    charge, _ = late(ledger, correction := said(version=2, account_number="A2"))
    verdict = ledger.apply(ruling := ruled(f"claimed:{charge.id}", apply=False))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 4, Reason.CONTENT_CORRECTED),
        (Kind.CHARGE, "A", 1, 5, Reason.CONTENT_CORRECTED),
    ]
    rejected, first = verdict.decisions
    assert (rejected.event_id, rejected.outcome) == (correction.event_id, Outcome.REJECTED)
    assert (first.event_id, first.outcome) == (charge.event_id, Outcome.REPORTED)
    assert {rejected.cause, first.cause} == {ruling.event_id}
    assert told(ledger.apply(said(version=2, account_number="A2"))) == [("A", 1, Outcome.REPEATED)]


@pytest.mark.parametrize("ack_first", [True, False])
@pytest.mark.parametrize(
    "lower",
    [lambda: sent_withdrawn("2025-03-10T11"), lambda: sent("2025-03-10T11", account_number="A2")],
    ids=["cancellation", "correction"],
)
def test_a_resend_that_uncovered_another_statement_can_be_rejected(
    ledger: Ledger, lower: Any, ack_first: bool
) -> None:
    """Performed at 12, cancelled at 11, sent again as of 10: it is the resend that credited the charge. It is
    rejected, now and when it is read again, and the other one is superseded as before."""
    charge = charged(ledger, first := sent("2025-03-10T12"))
    ledger.apply(lower := lower())
    both: list[AnyEntry] = [acknowledged(charge), resend := sent("2025-03-10T10")]
    ledger.apply_all(both if ack_first else reversed(both))
    ledger.apply(ruled(item_of(resend) if ack_first else f"claimed:{charge.id}", apply=False))
    for _ in range(2):
        assert shown(ledger) == [("A", MONDAY, "A1")]
        assert latest(ledger)[first.event_id].outcome is Outcome.REPORTED
        assert latest(ledger)[lower.event_id].outcome is Outcome.SUPERSEDED
        assert latest(ledger)[resend.event_id].outcome is Outcome.REJECTED
        ledger.apply(resend)


def test_to_reject_what_a_resend_uncovered_rejects_nothing_that_came_later(ledger: Ledger) -> None:
    """Uncovered by the resend was a cancellation; a statement after it, that it was not done, still holds."""
    charge = charged(ledger, sent("2025-03-10T12"))
    ledger.apply_all([sent_withdrawn("2025-03-10T11"), sent("2025-03-10T10")])
    ledger.apply(last := sent("2025-03-10T13", status=Status.NOT_PERFORMED))
    ledger.apply_all([acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False)])
    assert standing(ledger) == []
    assert latest(ledger)[last.event_id].outcome is Outcome.NOT_PERFORMED


@pytest.mark.parametrize("third", ["2025-03-10T09", "2025-03-10T11", "2025-03-10T13"])
def test_to_reject_one_resend_leaves_the_others(ledger: Ledger, third: str) -> None:
    """The lowest message time counts of those that nobody ruled against; whichever came first."""
    charge = charged(ledger, sent("2025-03-10T12"))
    ledger.apply_all([sent_withdrawn("2025-03-10T11:30"), sent("2025-03-10T10"), sent(third)])
    ledger.apply_all([acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False)])
    assert len(standing(ledger)) == (1 if third == "2025-03-10T13" else 0)


def test_what_credited_unit_two_of_another_procedure_can_be_rejected(ledger: Ledger) -> None:
    """The withdrawal of the first credited the second's unit 2, which was on a claim."""
    ledger.apply_all([allowed(), said("A")])
    charge = charged(ledger, said("B"))
    ledger.apply_all([cause := withdrawn("A"), acknowledged(charge)])
    ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert [each.unit for each in standing(ledger)] == [1, 2]
    assert latest(ledger)[cause.event_id].outcome is Outcome.REJECTED


def test_an_override_taken_back_too_early_can_be_given_again(ledger: Ledger) -> None:
    """Had billing spoken first, the taking back would have waited, and been rejected."""
    ledger.apply_all([allowed(), said("A")])
    charge = charged(ledger, said("B"))
    ledger.apply_all([command := taken_back(), acknowledged(charge)])
    verdict = ledger.apply(ruling := ruled(f"claimed:{charge.id}", apply=False))
    assert [each.unit for each in standing(ledger)] == [1, 2]
    answer = verdict.decisions[-1]
    assert (answer.event_id, answer.sequence, answer.outcome, answer.cause) == (
        command.event_id,
        2,
        Outcome.REJECTED,
        ruling.event_id,
    )


def test_an_opening_balance_that_came_too_late_can_be_rejected(ledger: Ledger) -> None:
    """Had billing spoken first, the balance would have waited, and been rejected."""
    charge = charged(ledger)
    ledger.apply_all([command := opened(), acknowledged(charge)])
    verdict = ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert len(standing(ledger)) == 1
    answer = verdict.decisions[-1]
    assert (answer.event_id, answer.sequence, answer.outcome) == (command.event_id, 2, Outcome.REJECTED)


def test_a_correction_can_be_rejected_after_its_procedure_was_merged_away(ledger: Ledger) -> None:
    """The ruling follows the procedure to the survivor."""
    charge = charged(ledger)
    ledger.apply_all([said(version=2, account_number="A2"), acknowledged(charge), of_a_merge(ledger)])
    verdict = ledger.apply(ruling := ruled(f"claimed:{charge.id}", apply=False))
    [sent] = verdict.sent
    assert isinstance(sent, Ruling)
    assert (sent.patient, sent.event_id, sent.apply) == (OTHER, ruling.event_id, False)
    assert sent.credited is not None
    assert (sent.credited.charge_id, sent.credited.procedure) == (charge.id, f"lab|A|{PATIENT}")


CORRECTIONS: dict[str, dict[str, Any]] = {
    "content": {"account_number": "A2"},
    "another day": {"service_date": TUESDAY},
    "withdrawn": {"status": Status.WITHDRAWN},
    "not performed": {"status": Status.NOT_PERFORMED},
}


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("more", CORRECTIONS.values(), ids=CORRECTIONS)
def test_acknowledgement_and_correction_lead_to_one_end_in_either_order(
    more: dict[str, Any], apply: bool
) -> None:
    """Whether billing or the source spoke first, what stands is what the person decided."""
    ends = []
    for ack_first in (True, False):
        ledger = Ledger()
        charge = charged(ledger)
        ledger.apply(said("B"))
        correction = said(version=2, **more)
        both: list[AnyEntry] = [acknowledged(charge), correction]
        ledger.apply_all(both if ack_first else reversed(both))
        item = item_of(correction) if ack_first else f"claimed:{charge.id}"
        ledger.apply(ruled(item, apply=apply))
        ends.append(
            (
                [(each.unit, each.service_date) for each in standing(ledger)],
                latest(ledger)[correction.event_id],
            )
        )
    (stand, one), (also_stand, other) = ends
    assert stand == also_stand
    assert one.outcome is other.outcome


@pytest.mark.parametrize("apply", [True, False])
def test_acknowledgement_and_move_lead_to_one_end_in_either_order(apply: bool) -> None:
    """The procedure was another patient's: it stays gone, or counts here again."""
    for ack_first in (True, False):
        ledger = Ledger()
        charge = charged(ledger)
        both: list[AnyEntry] = [acknowledged(charge), of_a_move(ledger)]
        posted = [ledger.apply(each) for each in (both if ack_first else reversed(both))]
        [item] = [item for posting in posted for item in posting.items]
        ledger.apply(ruled(item.id, apply=apply))
        assert len(standing(ledger)) == (0 if apply else 1)


def test_an_acknowledgement_read_again_asks_for_the_same_item(ledger: Ledger) -> None:
    """Its id is of the charge: the worklist has it once."""
    charge = charged(ledger)
    ledger.apply(withdrawn())
    ack = acknowledged(charge)
    first, again = ledger.apply(ack), ledger.apply(ack)
    assert first.items == again.items
    assert first.decisions == again.decisions


def test_an_acknowledgement_read_again_after_a_credit_gives_the_identical_decision(ledger: Ledger) -> None:
    """No two decisions about one record have the same number and say different things."""
    ack = acknowledged(charged(ledger), Acknowledged.ACCEPTED)
    first = ledger.apply(ack).decisions
    ledger.apply(withdrawn())
    assert ledger.apply(ack).decisions == first


def test_rejecting_what_credited_unit_two_does_not_reject_a_correction_that_did_not(ledger: Ledger) -> None:
    """A moved to another patient, so that B's unit 2 was credited; B's own correction had come before."""
    ledger.apply_all(
        [allowed(), said("A"), said("B"), correction := said("B", version=2, account_number="A2")]
    )
    charge = standing(ledger)[1]
    ledger.apply_all([of_a_move(ledger), acknowledged(charge)])
    ledger.apply(ruled(f"claimed:{charge.id}", apply=False))
    assert latest(ledger)[correction.event_id].outcome is not Outcome.REJECTED
    assert ("B", MONDAY, "A2") in shown(ledger)


def test_a_command_that_waits_has_no_effect_in_another_record(ledger: Ledger) -> None:
    """Though the charge that it waits for was credited meanwhile: it is for a person to decide."""
    claimed(ledger)
    waiting = opened("b1")
    correction = said(version=2, account_number="A2")
    ledger.apply_all([waiting, correction, ruled(f"correction:{correction.event_id}", apply=True)])
    again = opened("b1")
    [answer] = ledger.apply(again).decisions
    assert (answer.event_id, answer.outcome, answer.of) == (
        again.event_id,
        Outcome.REPEATED,
        waiting.event_id,
    )
    assert len(standing(ledger)) == 1


def test_a_ruling_on_a_claimed_charge_that_is_read_again_rejects_nothing_else(ledger: Ledger) -> None:
    """Offsets were set back: the acknowledgement comes again, and the ruling after it."""
    charge = charged(ledger)
    ledger.apply(said(version=2, account_number="A2"))
    again: list[AnyEntry] = [acknowledged(charge), ruled(f"claimed:{charge.id}", apply=False)]
    ledger.apply_all(again)
    ledger.apply(said(version=3, account_number="A3"))
    ledger.apply_all(again)
    assert shown(ledger) == [("A", MONDAY, "A3")]
