"""Merges: whose charges a patient's are, whatever the order in which merges and their undoing are heard."""

from collections import Counter
from itertools import permutations
from random import Random

import pytest

from models.billing import BillingEvent, Kind, Outcome, Reason
from models.codes import Service
from models.entries import Expiry
from models.procedures import ProcedureEvent
from models.worklist import Kind as ItemKind
from tests.models.entered import acknowledged, allowed, command_event, merged, ruled, unmerged
from tests.models.network import Input, Network
from tests.models.said import TUESDAY, said, withdrawn

ADA, BEN, CAL, DOT = "UH|1", "UH|2", "UH|3", "UH|4"
EVERYBODY = (ADA, BEN, CAL, DOT)


@pytest.fixture
def network() -> Network:
    return Network(Random(0))


def of(patient: str, procedure_id: str | None = None, version: int = 1, **more: object) -> ProcedureEvent:
    """A collection of that patient, named after them unless told otherwise."""
    return said(procedure_id or f"P{patient[-1]}", version, patient=patient, **more)


def standing(network: Network) -> dict[str, list[str]]:
    """Whose charges stand, and of which procedures."""
    return {
        patient: sorted(charge.procedure.procedure_id for charge in charges)
        for patient in EVERYBODY
        if (charges := network.standing(patient))
    }


def kinds(events: list[BillingEvent]) -> list[tuple[Kind, Reason]]:
    return [(event.kind, event.reason) for event in events]


def held_on_claims(network: Network) -> list[str]:
    return [item.id for item in network.items.values() if item.kind is ItemKind.CORRECTION]


def test_the_losing_patients_charges_become_the_survivors(network: Network) -> None:
    """Credited there and charged here; the charge bears the survivor, whose statement it never was."""
    network.hear(event := of(ADA), merge := merged(ADA, BEN))
    assert kinds(network.accounts[ADA].billing_events) == [
        (Kind.CHARGE, Reason.FIRST_OF_DAY),
        (Kind.CREDIT, Reason.PATIENT_MERGED),
    ]
    [charge] = network.standing(BEN)
    assert (charge.patient, charge.event_id, charge.cause) == (BEN, event.event_id, merge.event_id)
    assert network.standing(ADA) == []


def test_decisions_of_a_merged_event_go_on_over_both_patients(network: Network) -> None:
    """Reported and merged at the one, reported at the other: numbered without a gap."""
    network.hear(event := of(ADA), merge := merged(ADA, BEN))
    assert network.outcomes(event.event_id) == [Outcome.REPORTED, Outcome.MERGED, Outcome.REPORTED]
    _, gone, come = network.decisions(event.event_id)
    assert (gone.patient, come.patient) == (ADA, BEN)
    assert (gone.cause, come.cause) == (merge.event_id, merge.event_id)
    assert gone.billing_events == (network.accounts[ADA].billing_events[-1].id,)
    assert come.billing_events == (network.accounts[BEN].billing_events[-1].id,)


def test_credits_come_before_the_charges_of_a_merge(network: Network) -> None:
    """No reader ever sees both patients charged for the same procedure."""
    network.put(of(ADA))
    network.rest()
    network.put(merged(ADA, BEN))
    while network.step():
        stand = [charge for patient in (ADA, BEN) for charge in network.standing(patient)]
        assert len(stand) <= 1
    assert standing(network) == {BEN: ["P1"]}


def test_a_merge_before_any_event_is_known_when_one_comes(network: Network) -> None:
    """It is charged to the survivor at once, with one decision: nothing is credited."""
    network.hear(merged(ADA, BEN), event := of(ADA))
    assert network.outcomes(event.event_id) == [Outcome.REPORTED]
    assert kinds(network.accounts[BEN].billing_events) == [(Kind.CHARGE, Reason.FIRST_OF_DAY)]
    assert network.accounts[ADA].billing_events == []


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_merge_and_events_lead_to_one_end_in_whatever_order(seed: int, order: tuple[int, ...]) -> None:
    """One charge for the day that both had, at the survivor."""
    network = Network(Random(seed))
    all_of_it: list[Input] = [of(ADA), of(BEN), merged(ADA, BEN)]
    network.run(all_of_it[position] for position in order)
    assert [len(network.standing(patient)) for patient in (ADA, BEN)] == [0, 1]


def test_a_day_that_both_had_reported_ends_with_one_charge(network: Network) -> None:
    """Ben's charge stays, Ada's is credited, and her event is covered by his."""
    network.hear(hers := of(ADA), his := of(BEN), merged(ADA, BEN))
    assert standing(network) == {BEN: ["P2"]}
    last = network.decisions(hers.event_id)[-1]
    assert (last.outcome, last.patient) == (Outcome.ALREADY_REPORTED, BEN)
    assert last.covered_by is not None
    assert last.covered_by.procedure_id == "P2"
    assert network.outcomes(his.event_id) == [Outcome.REPORTED]


def test_what_was_covered_at_the_losing_patient_is_not_charged_on_the_way(network: Network) -> None:
    """Both her collections leave at once: none takes the other's unit before it goes."""
    network.hear(of(ADA, "A"), of(ADA, "B"), merged(ADA, BEN))
    assert kinds(network.accounts[ADA].billing_events) == [
        (Kind.CHARGE, Reason.FIRST_OF_DAY),
        (Kind.CREDIT, Reason.PATIENT_MERGED),
    ]
    assert len(network.standing(BEN)) == 1


def test_a_correction_of_a_merged_procedure_corrects_the_survivors_charge(network: Network) -> None:
    """The source goes on to state the losing patient: what it says follows the procedure."""
    network.hear(first := of(ADA), merged(ADA, BEN), second := of(ADA, version=2, account_number="A2"))
    assert [charge.account_number for charge in network.standing(BEN)] == ["A2"]
    assert network.outcomes(second.event_id) == [Outcome.CORRECTED]
    assert network.outcomes(first.event_id)[-1] is Outcome.SUPERSEDED
    network.hear(withdrawn("P1", version=3, patient=ADA))
    assert standing(network) == {}


def test_an_undone_merge_brings_the_charges_back(network: Network) -> None:
    """Credited at the survivor, charged where it was stated."""
    network.hear(event := of(ADA), merge := merged(ADA, BEN), unmerged(merge))
    assert standing(network) == {ADA: ["P1"]}
    assert network.outcomes(event.event_id) == [
        Outcome.REPORTED,
        Outcome.MERGED,
        Outcome.REPORTED,
        Outcome.MERGED,
        Outcome.REPORTED,
    ]
    assert [event.sequence for event in network.accounts[ADA].billing_events] == [1, 2, 3]


def test_an_undone_merge_leaves_the_survivor_what_is_its_own(network: Network) -> None:
    """Ben's own collection of the day is charged again where Ada's had filled the unit."""
    merge = merged(ADA, BEN)
    network.hear(of(ADA), merge, of(BEN))
    assert standing(network) == {BEN: ["P1"]}
    network.hear(unmerged(merge))
    assert standing(network) == {ADA: ["P1"], BEN: ["P2"]}


def test_a_merge_that_was_undone_before_it_was_heard_never_holds(network: Network) -> None:
    """Out of order: the undoing is applied, and the merge names it."""
    merge = merged(ADA, BEN)
    network.hear(of(ADA), undo := unmerged(merge), merge)
    assert standing(network) == {ADA: ["P1"]}
    assert network.outcomes(undo.event_id) == [Outcome.APPLIED]
    [undone] = network.decisions(merge.event_id)
    assert (undone.outcome, undone.of) == (Outcome.UNDONE, undo.event_id)


def test_what_was_stated_of_the_survivor_while_a_merge_held_is_listed(network: Network) -> None:
    """It may be the other's: a person looks at what was received since, and at nothing from before."""
    merge = merged(ADA, BEN, time=2_000_000_000_000)
    before = of(BEN, "before")
    meanwhile = of(BEN, "B", service_date=TUESDAY, received=2_000_000_000_001)
    network.hear(before, of(ADA, "A"), merge, meanwhile, of(ADA, "D"), unmerged(merge))
    item = network.items[f"unmerged:{merge.id}"]
    assert (item.kind, item.patient) == (ItemKind.ALERT, BEN)
    assert item.event_ids == (meanwhile.event_id,)
    assert standing(network) == {ADA: ["A"], BEN: ["B", "before"]}


def test_what_was_stated_of_the_losing_patient_meanwhile_goes_back_to_it(network: Network) -> None:
    """By the patient that was stated, whatever the merge said at the time."""
    merge = merged(ADA, BEN)
    network.hear(merge, first := of(ADA, "A"), of(BEN, "B", service_date=TUESDAY), unmerged(merge))
    assert standing(network) == {ADA: ["A"], BEN: ["B"]}
    assert network.outcomes(first.event_id) == [Outcome.REPORTED, Outcome.MERGED, Outcome.REPORTED]


def test_nothing_is_listed_if_nothing_was_stated_of_the_survivor_meanwhile(network: Network) -> None:
    """An undoing right after the merge is no work for anybody."""
    merge = merged(ADA, BEN, time=2_000_000_000_000)
    network.hear(of(ADA), of(BEN, service_date=TUESDAY), merge, unmerged(merge))
    assert network.items == {}


def test_undoing_a_merge_that_never_held_lists_nothing(network: Network) -> None:
    """It was refused: Ada is merged into Ben still, by the other one."""
    first, refused = merged(ADA, BEN, "m1"), merged(ADA, CAL, "m2", time=2)
    network.hear(of(BEN), first, refused, unmerged(refused))
    assert network.items == {}


# Chains and circles.


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_of_a_chain_the_last_survivor_has_all(seed: int, order: tuple[int, ...]) -> None:
    """Ada into Ben, Ben into Cal, with an event of each: all are Cal's, in whatever order that is heard."""
    network = Network(Random(seed))
    hers, his = of(ADA), of(BEN, service_date=TUESDAY)
    all_of_it: list[Input] = [hers, his, merged(ADA, BEN, "m1"), merged(BEN, CAL, "m2", time=2)]
    network.run(all_of_it[position] for position in order)
    assert standing(network) == {CAL: ["P1", "P2"]}
    for event in (hers, his):
        last = network.decisions(event.event_id)[-1]
        assert (network.outcomes(event.event_id)[-1], last.patient) == (Outcome.REPORTED, CAL)


@pytest.mark.parametrize("undone", [0, 1])
def test_a_chain_may_be_undone_at_either_end(network: Network, undone: int) -> None:
    """What the other merge says still holds."""
    merges = [merged(ADA, BEN, "m1"), merged(BEN, CAL, "m2", time=2)]
    network.hear(of(ADA), of(BEN, service_date=TUESDAY), *merges, unmerged(merges[undone]))
    assert standing(network) == ({ADA: ["P1"], CAL: ["P2"]} if undone == 0 else {BEN: ["P1", "P2"]})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("seed", range(5))
def test_of_two_merges_in_opposite_directions_the_earlier_holds(seed: int, order: tuple[int, ...]) -> None:
    """Two people at once, each merging one into the other: the later one would close a circle."""
    network = Network(Random(seed))
    merges = [merged(ADA, BEN, "m1", time=1), merged(BEN, ADA, "m2", time=2)]
    network.run([of(ADA), *(merges[position] for position in order), of(BEN, service_date=TUESDAY)])
    assert standing(network) == {BEN: ["P1", "P2"]}
    last = network.decisions(merges[1].event_id)[-1]
    assert (last.outcome, last.reason) == (Outcome.REFUSED, Reason.WOULD_CYCLE)
    assert network.decisions(merges[0].event_id)[-1].outcome is Outcome.APPLIED


def test_a_circle_of_three_is_refused_where_it_closes(network: Network) -> None:
    """Ada into Ben, Ben into Cal; Cal into Ada has no effect."""
    last = merged(CAL, ADA, "m3", time=3)
    network.hear(merged(ADA, BEN, "m1"), merged(BEN, CAL, "m2", time=2), last, of(ADA))
    assert standing(network) == {CAL: ["P1"]}
    assert network.decisions(last.event_id)[-1].reason is Reason.WOULD_CYCLE


def test_a_merge_of_a_patient_into_itself_is_refused(network: Network) -> None:
    """The smallest circle of all."""
    network.hear(of(ADA), merge := merged(ADA, ADA))
    assert network.decisions(merge.event_id)[-1].reason is Reason.WOULD_CYCLE
    assert standing(network) == {ADA: ["P1"]}


def test_a_second_merge_of_the_same_losing_patient_is_refused(network: Network) -> None:
    """A patient is merged into one other: the first is undone before it is merged into another."""
    second = merged(ADA, CAL, "m2", time=2)
    network.hear(of(ADA), merged(ADA, BEN, "m1"), second)
    [refused] = network.decisions(second.event_id)
    assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.ALREADY_MERGED)
    assert standing(network) == {BEN: ["P1"]}


@pytest.mark.parametrize(("losing", "surviving"), [(ADA, BEN), (ADA, CAL), (BEN, ADA)])
def test_a_refused_merge_never_holds_whatever_is_undone_later(
    network: Network, losing: str, surviving: str
) -> None:
    """The same one once more, another of the same patient, one the other way round: who was told that it is
    refused takes it as over. Meant still, it is given again."""
    first, second = merged(ADA, BEN, "m1"), merged(losing, surviving, "m2", time=2)
    network.hear(of(ADA), of(BEN, service_date=TUESDAY), first, second, unmerged(first))
    assert standing(network) == {ADA: ["P1"], BEN: ["P2"]}
    assert network.outcomes(first.event_id) == [Outcome.APPLIED, Outcome.UNDONE]
    assert network.outcomes(second.event_id) == [Outcome.REFUSED]
    network.hear(again := merged(losing, surviving, "m3", time=3))
    assert network.outcomes(again.event_id) == [Outcome.APPLIED]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("undone", [0, 1])
def test_of_merges_that_cross_each_other_the_later_is_over_whichever_was_heard_first(
    network: Network, order: tuple[int, int], undone: int
) -> None:
    """Also once the earlier one is undone. The later one cannot be undone: it never held, or does not now."""
    merges = [merged(ADA, BEN, "m1", time=1), merged(BEN, ADA, "m2", time=2)]
    network.hear(of(ADA), of(BEN, service_date=TUESDAY), *(merges[position] for position in order))
    network.hear(undo := unmerged(merges[undone]))
    assert standing(network) == ({ADA: ["P1"], BEN: ["P2"]} if undone == 0 else {BEN: ["P1", "P2"]})
    assert network.decisions(merges[1].event_id)[-1].outcome is Outcome.REFUSED
    [answer] = network.decisions(undo.event_id)
    expected = (Outcome.APPLIED, None) if undone == 0 else (Outcome.REFUSED, Reason.NEVER_MERGED)
    assert (answer.outcome, answer.reason) == expected


def test_a_merge_that_an_earlier_one_displaced_does_not_come_back(network: Network) -> None:
    """It was told that it is refused. So it is the same whichever of the two was heard first."""
    known, late = merged(ADA, BEN, "m2", time=2), merged(ADA, CAL, "m1", time=1)
    network.hear(of(ADA), known, late, unmerged(late))
    assert standing(network) == {ADA: ["P1"]}
    assert network.outcomes(known.event_id) == [Outcome.APPLIED, Outcome.REFUSED]


def test_an_earlier_merge_that_arrives_late_changes_what_holds(network: Network) -> None:
    """Decided on Monday, heard after the one decided on Tuesday: the charges go where Monday's says."""
    late, known = merged(ADA, CAL, "m2", time=1), merged(ADA, BEN, "m1", time=2)
    network.hear(event := of(ADA), known)
    assert standing(network) == {BEN: ["P1"]}
    network.hear(late)
    assert standing(network) == {CAL: ["P1"]}
    assert network.outcomes(known.event_id) == [Outcome.APPLIED, Outcome.REFUSED]
    assert network.decisions(known.event_id)[-1].reason is Reason.ALREADY_MERGED
    assert network.outcomes(event.event_id)[-1] is Outcome.REPORTED


def test_the_same_merge_sent_again_is_repeated(network: Network) -> None:
    """Its id names it, and the decision names the record that said it first."""
    network.hear(of(ADA), first := merged(ADA, BEN), again := merged(ADA, BEN))
    [repeated] = network.decisions(again.event_id)
    assert (repeated.outcome, repeated.of) == (Outcome.REPEATED, first.event_id)


def test_a_merge_that_is_undone_twice_is_refused_the_second_time(network: Network) -> None:
    """By another command: the first did it."""
    merge = merged(ADA, BEN)
    network.hear(merge, first := unmerged(merge, "u1"), second := unmerged(merge, "u2"))
    [refused] = network.decisions(second.event_id)
    assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.ALREADY_UNDONE)
    assert refused.of == first.event_id


def test_a_patient_may_be_merged_again_after_that_was_undone(network: Network) -> None:
    """Into the same one, by another command."""
    first = merged(ADA, BEN, "m1")
    network.hear(of(ADA), first, unmerged(first), merged(ADA, BEN, "m2", time=2))
    assert standing(network) == {BEN: ["P1"]}


# With everything else.


def test_an_override_counts_for_the_patient_that_it_was_given_to(network: Network) -> None:
    """Merges do not move it: Ben's allows Ada's collection as the second, Ada's own allows nothing at Ben."""
    network.hear(of(ADA), of(BEN), allowed("o1", patient=ADA), merge := merged(ADA, BEN))
    assert len(network.standing(BEN)) == 1
    network.hear(allowed("o2", patient=BEN))
    assert standing(network) == {BEN: ["P1", "P2"]}
    network.hear(unmerged(merge))
    assert standing(network) == {ADA: ["P1"], BEN: ["P2"]}


@pytest.mark.parametrize("seed", range(40))
def test_merged_patients_whose_procedures_also_moved(seed: int) -> None:
    """Ada's procedure was Cal's by a higher statement, Ben's goes to Ada: merged, each counts once."""
    network = Network(Random(seed))
    events = [
        of(ADA, "X"),
        of(CAL, "X", 2),
        of(BEN, "Y", service_date=TUESDAY),
        of(ADA, "Y", 2, service_date=TUESDAY),
    ]
    inputs: list[Input] = [*events, merged(ADA, BEN, "m1"), merged(CAL, DOT, "m2")]
    Random(seed).shuffle(inputs)
    network.run(inputs)
    assert standing(network) == {BEN: ["Y"], DOT: ["X"]}
    assert [network.outcomes(event.event_id)[-1] for event in events] == [
        Outcome.MOVED,
        Outcome.REPORTED,
        Outcome.MOVED,
        Outcome.REPORTED,
    ]


def test_one_procedure_stated_of_both_merged_patients_counts_once(network: Network) -> None:
    """The survivor has both statements, and the highest holds."""
    network.hear(lower := of(ADA, "X"), higher := of(BEN, "X", 2), merged(ADA, BEN))
    assert standing(network) == {BEN: ["X"]}
    assert network.outcomes(lower.event_id)[-1] is Outcome.MOVED
    assert network.outcomes(higher.event_id)[-1] is Outcome.REPORTED


@pytest.mark.parametrize("seed", range(60))
def test_every_statement_counts_for_exactly_one_patient_at_rest(seed: int) -> None:
    """Whatever was merged and undone: every procedure is with one patient, every number is used once."""
    random = Random(seed)
    network = Network(random)
    events = [of(patient, f"{patient[-1]}{number}") for patient in EVERYBODY for number in range(2)]
    merges = []
    for number in range(5):
        losing, surviving = random.sample(EVERYBODY, 2)
        merges.append(merged(losing, surviving, f"m{number}", time=random.randint(1, 3)))
    undone = [unmerged(merge, f"u{merge.id}") for merge in random.sample(merges, 2)]
    inputs: list[Input] = [*events, *merges, *undone]
    random.shuffle(inputs)
    network.run(inputs)
    where = Counter(name for patient in network.ledger.patients.values() for name in patient.places)
    assert where == Counter({event.procedure: 1 for event in events})
    for event in events:
        network.outcomes(event.event_id)
    for merge in merges:
        network.outcomes(merge.event_id)
    told = {
        each
        for account in network.accounts.values()
        for made in account.decisions
        for each in made.billing_events
    }
    written = [event.id for account in network.accounts.values() for event in account.billing_events]
    assert told == {*written}
    assert len(written) == len({*written})


@pytest.mark.parametrize("seed", range(20))
def test_merges_and_handovers_read_again_change_nothing(seed: int) -> None:
    """Offsets of any reader are set back."""
    random = Random(seed)
    network = Network(random)
    first = merged(ADA, BEN, "m1")
    refused = merged(CAL, ADA, "m3", time=3)
    network.run([of(ADA), of(BEN), first, merged(BEN, CAL, "m2", time=2), refused])
    network.run([unmerged(first, "u1"), unmerged(first, "u2"), unmerged(refused, "u3"), of(ADA, "Q")])
    before = standing(network)
    billed = [len(account.billing_events) for account in network.accounts.values()]
    for name in network.receivers:
        network.reset(name, random.randint(1, 10))
    network.rest()
    assert standing(network) == before
    assert [len(account.billing_events) for account in network.accounts.values()] == billed


def test_a_merge_waits_whole_while_one_charge_is_on_a_claim(network: Network) -> None:
    """Neither of her two charges goes; what is stated meanwhile is hers; released, all goes at once."""
    network.hear(of(ADA, "A"), of(ADA, "B", service_date=TUESDAY))
    network.hear(acknowledged(network.standing(ADA)[0]), merged(ADA, BEN))
    assert standing(network) == {ADA: ["A", "B"]}
    network.hear(of(ADA, "C", service=Service.TRANSPORT))
    assert standing(network) == {ADA: ["A", "B", "C"]}
    [item] = held_on_claims(network)
    network.hear(ruled(item, apply=True, patient=ADA))
    assert standing(network) == {BEN: ["A", "B", "C"]}


def test_a_merge_that_was_undone_while_it_waited_has_no_effect_when_released(network: Network) -> None:
    """What holds by now is that there is none."""
    network.hear(of(ADA))
    merge = merged(ADA, BEN)
    network.hear(acknowledged(network.standing(ADA)[0]), merge, unmerged(merge))
    [item] = held_on_claims(network)
    network.hear(ruled(item, apply=True, patient=ADA))
    assert standing(network) == {ADA: ["P1"]}


def test_an_undone_merge_brings_back_what_the_survivor_no_longer_keeps(network: Network) -> None:
    """Ben's days were forgotten, not Ada's: after the undoing hers is charged as it was."""
    merge = merged(ADA, BEN)
    network.hear(Expiry(patient=BEN, event_id=command_event(), before=TUESDAY), of(ADA))
    network.hear(merge, unmerged(merge))
    assert standing(network) == {ADA: ["P1"]}


def test_a_claimed_charge_credited_by_a_merge_is_charged_again_if_a_person_says_so(
    network: Network,
) -> None:
    """The merge came before billing said that the charge is on a claim: it does not hold for this patient."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(merged(ADA, BEN), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert standing(network) == {ADA: ["P1"]}


def test_a_ruling_about_a_correction_follows_its_procedure_to_the_survivor(network: Network) -> None:
    """Corrected, then said to be on a claim, then merged: rejected, what was corrected is charged there."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    correction = of(ADA, version=2, account_number="A2")
    network.hear(correction, acknowledged(charge), merged(ADA, BEN))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert [each.account_number for each in network.standing(BEN)] == ["A1"]
    assert network.outcomes(correction.event_id)[-1] is Outcome.REJECTED


def test_rejecting_an_undoing_does_not_undo_another_merge(network: Network) -> None:
    """Ada was taken out of Ben while his charge of hers was on a claim; his own merge into Cal stands."""
    first = merged(ADA, BEN, "m1")
    network.hear(of(ADA), of(BEN, service_date=TUESDAY), first)
    charge = next(each for each in network.standing(BEN) if each.procedure.procedure_id == "P1")
    network.hear(unmerged(first), acknowledged(charge), merged(BEN, CAL, "m2", time=2))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=BEN))
    assert standing(network).get(CAL) == ["P2"]


def test_a_merge_right_after_a_ruling_about_one_is_heard(network: Network) -> None:
    """The next record of all links is a merge decided before: it holds, and the charges go."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(merged(ADA, BEN, "m1", time=2), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    network.hear(late := merged(ADA, CAL, "m2", time=1))
    assert network.outcomes(late.event_id) == [Outcome.APPLIED]
    assert standing(network) == {CAL: ["P1"]}


def test_a_correction_that_waited_is_applied_at_the_survivor(network: Network) -> None:
    """No charge of the survivor's is on a claim: when the merge is released, it waits no longer."""
    network.hear(of(ADA))
    network.hear(acknowledged(network.standing(ADA)[0]), correction := withdrawn("P1", patient=ADA))
    network.hear(merged(ADA, BEN))
    [_, merge] = held_on_claims(network)
    network.hear(ruled(merge, apply=True, patient=ADA))
    assert network.outcomes(correction.event_id) == [Outcome.HELD, Outcome.WITHDRAWN]
    assert standing(network) == {}


def test_what_is_forgotten_of_a_merged_patient_is_never_credited(network: Network) -> None:
    """Its charge was made before and stays, wherever the procedure is; an undoing does not touch it."""
    merge = merged(ADA, BEN)
    network.hear(of(ADA), merge, Expiry(patient=ADA, event_id=command_event(), before=TUESDAY))
    network.hear(unmerged(merge))
    assert standing(network) == {BEN: ["P1"]}


def test_to_reject_a_merge_leaves_another_that_took_its_place(network: Network) -> None:
    """It was refused, since Ada was merged into Cal before: that is what nobody ruled against."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(merged(ADA, BEN, "m2", 2), merged(ADA, CAL, "m1", 1), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    assert standing(network) == {CAL: ["P1"]}


def test_an_undoing_that_credited_another_procedures_unit_can_be_rejected(network: Network) -> None:
    """Two were allowed at the survivor: what went back to Ada took unit 1, and his unit 2 was on a claim."""
    network.hear(allowed(patient=BEN), merge := merged(ADA, BEN), of(ADA), of(BEN))
    charge = network.standing(BEN)[1]
    network.hear(unmerged(merge), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=BEN))
    assert standing(network) == {BEN: ["P1", "P2"]}


def test_a_correction_at_the_survivor_can_be_rejected_after_the_procedure_went_home(network: Network) -> None:
    """The ruling follows the procedure: what was corrected holds again, there."""
    network.hear(merge := merged(ADA, BEN), of(ADA, account_number="A1"))
    [charge] = network.standing(BEN)
    correction = of(ADA, version=2, account_number="A2")
    network.hear(correction, unmerged(merge), acknowledged(charge))
    network.hear(ruled(f"claimed:{charge.id}", apply=False, patient=BEN))
    assert [each.account_number for each in network.standing(ADA)] == ["A1"]
    assert network.outcomes(correction.event_id)[-1] is Outcome.REJECTED
