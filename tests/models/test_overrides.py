"""Overrides: the second unit that a person allows, and takes back."""

from itertools import permutations

import msgspec
import pytest

from models.billing import Kind, Outcome, ProcedureRef, Reason
from models.entries import Expiry, Override, item_of
from models.procedures import Stream
from tests.models.entered import acknowledged, allowed, command_event, ruled, taken_back
from tests.models.ledger import Ledger
from tests.models.said import (
    KEY,
    MONDAY,
    PATIENT,
    TUESDAY,
    kinds,
    latest,
    said,
    standing,
    told,
    withdrawn,
)

MORE = Reason.OVERRIDE


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_an_override_charges_the_procedure_that_was_covered(ledger: Ledger) -> None:
    """The second unit is charged at once; the procedure that gets it and the command are told so."""
    ledger.apply_all([said("A"), covered := said("B")])
    verdict = ledger.apply(command := allowed())
    assert kinds(verdict) == [(Kind.CHARGE, "B", 2, 1, MORE)]
    follow_up, answer = verdict.decisions
    assert (follow_up.event_id, follow_up.sequence, follow_up.outcome) == (
        covered.event_id,
        2,
        Outcome.REPORTED,
    )
    assert (follow_up.reason, follow_up.unit, follow_up.cause) == (MORE, 2, command.event_id)
    assert follow_up.billing_events == (verdict.billing_events[0].id,)
    assert (answer.event_id, answer.sequence, answer.outcome) == (command.event_id, 1, Outcome.APPLIED)
    assert (answer.patient, answer.stream, answer.service, answer.service_date) == (
        PATIENT,
        command.stream,
        command.service,
        MONDAY,
    )


def test_an_override_before_the_second_procedure_waits_for_it(ledger: Ledger) -> None:
    """It charges nothing by itself: as many units stand as procedures count."""
    ledger.apply(said("A"))
    verdict = ledger.apply(allowed())
    assert (verdict.billing_events, [made.outcome for made in verdict.decisions]) == ([], [Outcome.APPLIED])
    assert kinds(ledger.apply(said("B"))) == [(Kind.CHARGE, "B", 2, 1, Reason.FIRST_OF_DAY)]
    assert told(ledger.apply(said("C"))) == [("C", 1, Outcome.ALREADY_REPORTED)]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_two_units_stand_in_whatever_order_override_and_procedures_come(
    ledger: Ledger, order: tuple[int, ...]
) -> None:
    """What stands depends on what was said, not on when."""
    said_of_it = (said("A"), said("B"), allowed())
    ledger.apply_all(said_of_it[position] for position in order)
    assert sorted((charge.procedure.procedure_id, charge.unit) for charge in standing(ledger)) in (
        [("A", 1), ("B", 2)],
        [("A", 2), ("B", 1)],
    )


def test_after_the_first_is_withdrawn_the_second_moves_to_unit_one(ledger: Ledger) -> None:
    """Units that stand are numbered without a gap: unit 2 is credited, and the credits come first."""
    ledger.apply_all([said("A"), said("B"), allowed()])
    verdict = ledger.apply(withdrawn("A"))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CREDIT, "B", 2, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CHARGE, "B", 1, 3, Reason.PROMOTED),
    ]
    assert [charge.unit for charge in standing(ledger)] == [1]


def test_the_second_moved_to_another_date_is_charged_there(ledger: Ledger) -> None:
    """The override is of one date: it stays there, and the next procedure of that date gets the unit."""
    ledger.apply_all([said("A"), said("B"), allowed()])
    verdict = ledger.apply(said("B", version=2, service_date=TUESDAY))
    assert kinds(verdict) == [
        (Kind.CREDIT, "B", 2, 2, Reason.KEY_CORRECTED),
        (Kind.CHARGE, "B", 1, 1, Reason.KEY_CORRECTED),
    ]
    assert kinds(ledger.apply(said("C"))) == [(Kind.CHARGE, "C", 2, 3, Reason.FIRST_OF_DAY)]
    assert told(ledger.apply(said("D", service_date=TUESDAY))) == [("D", 1, Outcome.ALREADY_REPORTED)]


def test_an_override_of_one_stream_allows_nothing_in_the_other(ledger: Ledger) -> None:
    """Nor for another service or date: it is of the whole key."""
    ledger.apply_all([said("A"), said("B"), allowed(stream=Stream.PROFESSIONAL)])
    assert [charge.unit for charge in standing(ledger)] == [1]


def test_two_overrides_allow_two_units_more(ledger: Ledger) -> None:
    """Each command allows one."""
    ledger.apply_all([said("A"), said("B"), said("C"), said("D"), allowed("o1"), allowed("o2")])
    assert [(charge.procedure.procedure_id, charge.unit) for charge in standing(ledger)] == [
        ("A", 1),
        ("B", 2),
        ("C", 3),
    ]


def test_of_two_overrides_either_may_be_taken_back(ledger: Ledger) -> None:
    """The other one stands on, and the highest unit is credited."""
    ledger.apply_all([said("A"), said("B"), said("C"), allowed("o1"), allowed("o2"), taken_back("o1")])
    assert [(charge.procedure.procedure_id, charge.unit) for charge in standing(ledger)] == [
        ("A", 1),
        ("B", 2),
    ]


def test_an_override_taken_back_credits_unit_two(ledger: Ledger) -> None:
    """Its procedure is covered again by the one that fills unit 1."""
    ledger.apply_all([said("A"), second := said("B"), allowed()])
    verdict = ledger.apply(command := taken_back())
    assert kinds(verdict) == [(Kind.CREDIT, "B", 2, 2, MORE)]
    follow_up, answer = verdict.decisions
    assert (follow_up.event_id, follow_up.outcome, follow_up.cause) == (
        second.event_id,
        Outcome.ALREADY_REPORTED,
        command.event_id,
    )
    assert follow_up.covered_by == ProcedureRef("lab", "A", "north")
    assert follow_up.billing_events == (verdict.billing_events[0].id,)
    assert (answer.event_id, answer.outcome) == (command.event_id, Outcome.APPLIED)


def test_an_override_taken_back_before_it_was_given_never_stands(ledger: Ledger) -> None:
    """Out of order: the taking back is applied, the giving is refused since it is done with."""
    ledger.apply_all([said("A"), said("B")])
    assert [made.outcome for made in ledger.apply(taken_back()).decisions] == [Outcome.APPLIED]
    verdict = ledger.apply(allowed())
    assert verdict.billing_events == []
    [answer] = verdict.decisions
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.ALREADY_TAKEN_BACK)


def test_an_override_taken_back_twice_is_refused_the_second_time(ledger: Ledger) -> None:
    """By another command: the first did it."""
    ledger.apply_all([said("A"), said("B"), allowed(), taken_back()])
    [answer] = ledger.apply(taken_back(command="t2")).decisions
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.ALREADY_TAKEN_BACK)


def test_the_same_command_sent_again_is_repeated(ledger: Ledger) -> None:
    """A command id names one command, in however many records it comes: one unit more, not two."""
    ledger.apply_all([said("A"), said("B"), said("C"), first := allowed()])
    verdict = ledger.apply(again := allowed())
    assert verdict.billing_events == []
    [answer] = verdict.decisions
    assert (answer.event_id, answer.outcome, answer.of) == (
        again.event_id,
        Outcome.REPEATED,
        first.event_id,
    )
    assert len(standing(ledger)) == 2


def test_a_command_id_used_again_for_another_day_allows_nothing(ledger: Ledger) -> None:
    """The same id is the same command; were it another one, it would have another id."""
    ledger.apply(first := allowed())
    again = msgspec.structs.replace(allowed(), service_date=TUESDAY)
    [answer] = ledger.apply(again).decisions
    assert (answer.outcome, answer.of) == (Outcome.REPEATED, first.event_id)
    assert (PATIENT, TUESDAY) not in ledger.days


@pytest.mark.parametrize("command", [allowed(), taken_back()])
def test_the_same_record_read_again_gives_the_identical_decision(ledger: Ledger, command: Override) -> None:
    """After offsets were set back, say: nothing is charged and no number goes on."""
    ledger.apply_all([said("A"), said("B")])
    first = ledger.apply(command)
    again = ledger.apply(command)
    assert again.billing_events == []
    assert again.decisions == [made for made in first.decisions if made.event_id == command.event_id]


def test_the_record_of_a_refused_override_read_again_is_refused_again(ledger: Ledger) -> None:
    """With the reason that it had."""
    ledger.apply(taken_back())
    first = ledger.apply(command := allowed())
    assert ledger.apply(command).decisions == first.decisions


def test_a_command_read_again_after_its_day_is_no_longer_kept_repeats_no_number(ledger: Ledger) -> None:
    """Either the identical decision or a higher number."""
    first = ledger.apply(command := allowed()).decisions
    ledger.apply(Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY))
    again = ledger.apply(command).decisions
    assert again == first or all(made.sequence > 1 for made in again)


def test_an_override_of_a_day_that_is_no_longer_kept_leaves_nothing_behind(ledger: Ledger) -> None:
    """It is told to be refused, for good; a day that was removed stays removed."""
    ledger.apply_all([said(), Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY)])
    [answer] = ledger.apply(command := allowed()).decisions
    assert (answer.outcome, answer.reason, answer.sequence) == (Outcome.REFUSED, Reason.NO_LONGER_KEPT, 1)
    assert (PATIENT, MONDAY) not in ledger.days
    assert ledger.apply(command).decisions == [answer]
    assert (PATIENT, MONDAY) not in ledger.days


def test_a_freed_second_unit_goes_to_whoever_waits(ledger: Ledger) -> None:
    """By the survivor policy, as unit 1 does; the follow-ups name what fills it now."""
    ledger.apply_all([said("A"), said("B"), allowed(), third := said("C")])
    assert kinds(ledger.apply(withdrawn("B"))) == [
        (Kind.CREDIT, "B", 2, 2, Reason.FILLER_WITHDRAWN),
        (Kind.CHARGE, "C", 2, 3, Reason.PROMOTED),
    ]
    assert latest(ledger)[third.event_id].unit == 2


def test_an_override_is_kept_though_all_procedures_go(ledger: Ledger) -> None:
    """Withdrawn and stated anew: two units again."""
    ledger.apply_all([said("A"), said("B"), allowed(), withdrawn("A"), withdrawn("B")])
    assert standing(ledger) == []
    ledger.apply_all([said("A", version=3), said("B", version=3)])
    assert [charge.unit for charge in standing(ledger)] == [1, 2]
    assert ledger.days[PATIENT, MONDAY].overrides == {KEY: {"o1": True}}


# An override that waits for a person: taking it back would credit a charge on a claim.


def parked(ledger: Ledger) -> Override:
    """Unit 2 is on a claim, and what allowed it is to be taken back."""
    ledger.apply_all([said("A"), said("B"), allowed()])
    ledger.apply(acknowledged(standing(ledger)[1]))
    command = taken_back()
    [held] = ledger.apply(command).decisions
    assert (held.outcome, held.reason) == (Outcome.HELD, Reason.ON_CLAIM)
    return command


def test_a_command_sent_again_while_it_waits_gets_a_decision(ledger: Ledger) -> None:
    """Every record gets one: here repeated, of the one that waits."""
    first = parked(ledger)
    [answer] = ledger.apply(taken_back()).decisions
    assert (answer.outcome, answer.of) == (Outcome.REPEATED, first.event_id)


def test_a_command_read_again_while_it_waits_is_held_still(ledger: Ledger) -> None:
    """The identical decision, and nothing on the worklist a second time."""
    command = parked(ledger)
    verdict = ledger.apply(command)
    [held] = [made for made in ledger.accounts[PATIENT].decisions[:-1] if made.event_id == command.event_id]
    assert (verdict.decisions, verdict.items) == ([held], [])


def test_a_command_that_waits_is_refused_when_its_day_is_no_longer_kept(ledger: Ledger) -> None:
    """Told so with the next number; a ruling after that is refused."""
    command = parked(ledger)
    verdict = ledger.apply(expiry := Expiry(patient=PATIENT, event_id=command_event(), before=TUESDAY))
    [answer] = [made for made in verdict.decisions if made.event_id == command.event_id]
    assert (answer.sequence, answer.cause) == (2, expiry.event_id)
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.NO_LONGER_KEPT)
    [refused] = ledger.apply(ruling := ruled("override:t1", apply=True)).decisions
    assert (refused.event_id, refused.reason) == (ruling.event_id, Reason.SUPERSEDED)


def test_a_command_that_waits_is_not_applied_by_another_record_of_it(ledger: Ledger) -> None:
    """What it would credit has gone by then: the second record is repeated all the same, of the first."""
    first = parked(ledger)
    ledger.apply(gone := withdrawn("B"))
    ledger.apply_all([ruled(item_of(gone), apply=True), taken_back()])
    ledger.apply(ruled("override:t1", apply=True))
    made = [each for each in ledger.accounts[PATIENT].decisions if each.event_id == first.event_id]
    assert [(each.sequence, each.outcome) for each in made] == [(1, Outcome.HELD), (2, Outcome.APPLIED)]
