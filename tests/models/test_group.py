"""The audit of connected patients, and of what people decided about them."""

from typing import Any

import pytest
from msgspec.structs import replace

from models.account import Account
from models.audit import Finding, audit
from models.billing import Acknowledged, BillingEvent, Kind, Outcome, Reason
from models.entries import Acknowledgement, Moved, Recall, Survivor, item_of
from models.findings import Figure
from models.procedures import ProcedureEvent
from models.procedures import Status as Stated
from models.rulings import stays, unmerged, unmoved
from models.standing import Key
from models.worklist import Item
from models.worklist import Kind as ItemKind
from tests.models import people
from tests.models.accounts import CHARGE, CREDIT, DECISIONS, FIRST, GONE, NEXT, SECOND, charge_of, decided
from tests.models.strategies import DATES, PATIENTS, logged, statement

HOME, SURVIVOR = PATIENTS
ACK = "billing.acks:0:1:0"
MERGE = people.spoken("merge", "m1", losing=HOME, surviving=SURVIVOR)
KEY = Key(HOME, CHARGE.stream, CHARGE.service, CHARGE.service_date)


def credit_of(charge: BillingEvent, cause: str, reason: Reason) -> BillingEvent:
    return replace(
        charge,
        kind=Kind.CREDIT,
        id=f"{charge.id}-",
        sequence=charge.sequence + 1,
        reverses=charge.id,
        cause=cause,
        reason=reason,
    )


def whats(account: Account) -> set[str]:
    return {finding.what for finding in audit(account)}


def merged() -> Account:
    """One collection of a patient who is merged: credited at home, charged to the survivor."""
    charge = replace(CHARGE, id="s1", charge_id="s1", patient=SURVIVOR, cause=MERGE.event_id)
    return Account(
        [FIRST, Survivor(patient=HOME, event_id=MERGE.event_id, survivor=SURVIVOR, at=1)],
        [
            decided(FIRST, 1, Outcome.REPORTED, "c1", charge_id="c1", unit=1, patient=HOME),
            decided(FIRST, 3, Outcome.REPORTED, "s1", charge_id="s1", unit=1, patient=SURVIVOR, cause="m"),
            decided(FIRST, 2, Outcome.MERGED, "c1-", patient=HOME, cause="m"),
            people.applied(MERGE.event_id),
        ],
        [CHARGE, credit_of(CHARGE, "m", Reason.PATIENT_MERGED), charge],
        commands=[MERGE],
    )


def test_a_procedure_of_a_merged_patient_is_the_survivors() -> None:
    """Its charge shows the survivor, its decisions are numbered on over both, and all is well."""
    assert [*audit(merged())] == []


def test_a_merge_that_was_not_carried_out_is_missing_and_doubled() -> None:
    """The charge stands at home still."""
    account = merged()
    del account.billing_events[1:], account.decisions[1:3]
    assert {finding.figure for finding in audit(account)} >= {Figure.MISSING, Figure.DOUBLED}


@pytest.mark.parametrize(
    ("index", "changes", "what"),
    [
        (1, {"patient": HOME}, "has decision 2 after a later one"),
        (1, {"patient": HOME}, "reported, but it counts for another patient"),
        (2, {"sequence": 4}, "has decision 3 instead of 2"),
        (
            2,
            {"sequence": 4, "patient": SURVIVOR},
            "merged, but its charge stands, and is another or not named",
        ),
        (2, {"sequence": 3}, "has two decisions 3"),
    ],
)
def test_decisions_of_a_merged_procedure_are_checked_over_both_patients(
    index: int, changes: dict[str, Any], what: str
) -> None:
    """None is left out, none has a number twice, and the last says whose it is."""
    account = merged()
    account.decisions[index] = replace(account.decisions[index], **changes)
    assert what in whats(account)


def test_only_what_is_forgotten_may_leave_out_a_number() -> None:
    """Decisions before it were removed with their day."""
    forget = people.spoken("forget", "f1", patient=HOME, before=FIRST.service_date)
    old = replace(FIRST, service_date=FIRST.service_date and FIRST.service_date.replace(year=2015))
    account = Account([old], [decided(old, 4, Outcome.EXPIRED, cause=forget.event_id)])
    assert whats(account) == {
        "0 of 1 units of its day stand",
        "expired, but everything of its procedure is still kept",
    }
    people.tell(account, forget)
    assert [*audit(account)] == []
    account.decisions[0] = replace(account.decisions[0], outcome=Outcome.REPORTED)
    assert whats(account) == {"has decision 4 instead of 1"}


def test_charges_of_forgotten_days_are_no_longer_kept() -> None:
    """They stay on the books, one for each unit that is allowed."""
    forget = people.spoken("forget", "f1", patient=HOME, before=DATES[1])
    account = Account([FIRST], [DECISIONS[0]], [CHARGE], days=[])
    assert whats(account) == {"is another or absent in the ledger's state"}
    people.tell(account, forget)
    assert [*audit(account)] == []
    account.billing_events.append(replace(CHARGE, id="d1", charge_id="d1", unit=2))
    assert "stands though no more units are allowed" in whats(account)


def test_a_moved_procedure_says_so_where_it_was() -> None:
    """And nowhere else; the patient of the higher statement has the charge."""
    here, there = logged(
        [
            statement(patient, "lab", 1, version, Stated.PERFORMED, 0, unique=True)
            for version, patient in enumerate((HOME, SURVIVOR))
        ]
    )
    charge = charge_of(there, 1, there.event_id, Reason.FIRST_OF_DAY)
    told = decided(there, 1, Outcome.REPORTED, "c1", charge_id="c1", unit=1)
    account = Account([here, there], [decided(here, 1, Outcome.MOVED), told], [charge])
    assert [*audit(account)] == []
    account.decisions[0] = decided(here, 1, Outcome.ALREADY_REPORTED, covered_by=charge.procedure)
    assert whats(account) == {"already_reported, but another patient has a higher statement"}


def acknowledged(status: Acknowledged = Acknowledged.ON_CLAIM) -> Acknowledgement:
    return Acknowledgement(patient=HOME, event_id=ACK, charge_id="c1", status=status)


def on_claim() -> Account:
    """A withdrawal that would credit a charge on a claim: it waits."""
    held = decided(GONE, 1, Outcome.HELD, reason=Reason.ON_CLAIM)
    return Account(
        [FIRST, acknowledged(), GONE],
        [DECISIONS[0], people.applied(ACK), held],
        [CHARGE],
        items=[Item(id=item_of(GONE), kind=ItemKind.CORRECTION, patient=HOME, charge_id="c1")],
    )


def test_a_correction_that_waits_for_a_ruling_changes_nothing() -> None:
    """The charge stands, the earlier decision about it is true; whether the worklist tells of it or not."""
    account = on_claim()
    assert [*audit(account)] == []
    account.items.clear()
    assert [*audit(account)] == []


def test_what_waits_is_said_to_wait() -> None:
    """And to nothing else, though it is on the worklist."""
    account = on_claim()
    account.decisions[-1] = decided(GONE, 1, Outcome.WITHDRAWN)
    assert whats(account) == {"withdrawn, but it waits for a ruling"}


def test_nothing_waits_where_no_charge_is_on_a_claim() -> None:
    """An accepted charge is corrected at once."""
    account = on_claim()
    account.procedures[1] = acknowledged(Acknowledged.ACCEPTED)
    assert whats(account) == {"waits, though no charge is on a claim"}
    account.items.clear()
    assert whats(account) == {"waits, though no charge is on a claim"}


def ruled(*, apply: bool) -> Account:
    account = on_claim()
    ruling = people.rule(account, item_of(GONE), HOME, apply=apply)
    if apply:
        account.billing_events.append(replace(CREDIT, cause=ruling.event_id))
        account.decisions += [
            decided(GONE, 2, Outcome.WITHDRAWN, "c2", cause=ruling.event_id),
            decided(FIRST, 2, Outcome.SUPERSEDED, of=GONE.event_id, cause=ruling.event_id),
        ]
    else:
        account.decisions.append(decided(GONE, 2, Outcome.REJECTED, cause=ruling.event_id))
    return account


def test_a_ruling_lets_a_correction_take_effect_or_puts_it_away() -> None:
    """Either is right if everything follows from it."""
    assert [*audit(ruled(apply=True))] == []
    assert [*audit(ruled(apply=False))] == []


def test_a_ruling_that_was_not_followed_is_found() -> None:
    """Applied, and yet the charge stands; rejected, and yet it is said to wait."""
    account = ruled(apply=True)
    del account.billing_events[1:], account.decisions[-2:]
    assert {finding.figure for finding in audit(account)} >= {Figure.DOUBLED, Figure.UNEXPLAINED}
    account = ruled(apply=False)
    account.decisions.pop()
    assert "held, but it was ruled against" in whats(account)
    account.billing_events.append(replace(CREDIT, cause=account.commands[0].event_id))
    assert "credits a charge that is on a claim, and nobody ruled so" in whats(account)


def test_a_charge_on_a_claim_is_credited_by_a_ruling_alone() -> None:
    """Or where billing said too late that it is on one, which puts it on the worklist."""
    account = Account(
        [FIRST, acknowledged(), SECOND, GONE],
        [*DECISIONS, people.applied(ACK)],
        [CHARGE, CREDIT, NEXT],
    )
    assert whats(account) == {"credits a charge that is on a claim, and nobody ruled so"}
    account.items.append(Item(id="claimed:c1", kind=ItemKind.CLAIMED, patient=HOME, charge_id="c1"))
    assert [*audit(account)] == []


def test_what_follows_from_a_ruling_on_a_claimed_charge_is_ruled_so() -> None:
    """To reject what credited one charge may credit another that is on a claim by now."""
    account = Account([FIRST, acknowledged()], [DECISIONS[0], people.applied(ACK)], [CHARGE])
    account.items.append(Item(id="claimed:c9", kind=ItemKind.CLAIMED, patient=HOME, charge_id="c9"))
    ruling = people.rule(account, "claimed:c9", HOME, apply=False)
    account.billing_events.append(replace(CREDIT, cause=ruling.event_id))
    assert "credits a charge that is on a claim, and nobody ruled so" not in whats(account)


def test_a_facility_may_let_charges_on_a_claim_be_corrected() -> None:
    """Its setting is on the statement that the charge shows."""
    free = replace(FIRST, held_on_claim=False)
    account = Account(
        [free, acknowledged(), SECOND, GONE], [*DECISIONS, people.applied(ACK)], [CHARGE, CREDIT, NEXT]
    )
    assert [*audit(account)] == []


def test_what_credited_a_claimed_charge_is_rejected_if_a_person_says_so() -> None:
    """The withdrawal no longer holds, and the charge is made again."""
    account = Account(
        [FIRST, GONE, acknowledged()],
        [DECISIONS[0], DECISIONS[2], DECISIONS[3], people.applied(ACK)],
        [CHARGE, CREDIT],
        items=[Item(id="claimed:c1", kind=ItemKind.CLAIMED, patient=HOME, charge_id="c1")],
    )
    assert [*audit(account)] == []
    ruling = people.rule(account, "claimed:c1", HOME, apply=False)
    assert "0 of 1 units of its day stand" in whats(account)
    account.billing_events.append(charge_of(FIRST, 3, ruling.event_id, Reason.PROMOTED))
    account.decisions += [
        decided(GONE, 2, Outcome.REJECTED, cause=ruling.event_id),
        decided(FIRST, 3, Outcome.REPORTED, "c3", charge_id="c3", unit=1, cause=ruling.event_id),
    ]
    assert [*audit(account)] == []


@pytest.mark.parametrize("apply", [None, False])
def test_a_parked_merge_leaves_the_charge_at_home(apply: bool | None) -> None:
    """Until it is ruled on, and for good if it is ruled against."""
    account = merged()
    account.procedures.append(acknowledged())
    account.decisions.append(people.applied(ACK))
    del account.billing_events[1:], account.decisions[1:3]
    item = item_of(Survivor(patient=HOME, event_id="e", survivor=SURVIVOR, at=1))
    account.items.append(Item(id=item, kind=ItemKind.CORRECTION, patient=HOME, charge_id="c1"))
    if apply is not None:
        people.rule(account, item, HOME, apply=apply)
    assert [*audit(account)] == []
    if apply is None:
        account.items.clear()
        assert "0 of 1 units of its day stand" in whats(account)


def test_the_latest_of_two_moves_or_merges_counts() -> None:
    """One that was parked before does not keep the next from having its effect."""
    moves = [Moved(patient=HOME, event_id="e", procedure="p", away=True, at=at) for at in (2, 1)]
    links = [Survivor(patient=HOME, event_id="e", survivor=f"S{at}", at=at) for at in (2, 1)]
    recalls = [Recall(patient="S", event_id=f"e{at}", name="p", hands=at) for at in (1, 2)]
    account = Account([*moves, *links, *recalls])
    earlier = {item_of(moves[1]), item_of(links[1]), item_of(recalls[0])}
    later = {item_of(moves[0]), item_of(links[0]), item_of(recalls[1])}
    assert not unmoved(account, earlier)
    assert not unmerged(account, earlier)
    assert not stays(account, earlier)
    assert unmoved(account, later) == {"p"}
    assert unmerged(account, later) == {HOME: "S1"}
    assert unmerged(account, later | earlier) == {HOME: HOME}
    assert stays(account, later) == {"p": "S"}


def test_a_repeat_of_what_was_rejected_has_no_effect_either() -> None:
    """It was decided to repeat it, so it shares its fate, and waits where that waits."""
    account = on_claim()
    again = replace(GONE, event_id="lab.procedures:0:9:0")
    account.procedures.append(again)
    account.decisions.append(decided(again, 1, Outcome.REPEATED, of=GONE.event_id))
    assert [*audit(account)] == []
    account = ruled(apply=False)
    account.procedures.append(again)
    account.decisions.append(decided(again, 1, Outcome.REPEATED, of=GONE.event_id))
    assert [*audit(account)] == []
    account.decisions[-1] = decided(again, 1, Outcome.WITHDRAWN)
    assert whats(account) != set()


def released() -> tuple[ProcedureEvent, Account]:
    """An event that was held and released."""
    release = people.spoken("release", "r1", item=FIRST.event_id)
    event = replace(FIRST, because=release.event_id, decided=1)
    told = [
        decided(event, 1, Outcome.HELD, reason=Reason.NO_STREAM),
        decided(event, 2, Outcome.REPORTED, "c1", charge_id="c1", unit=1, cause=release.event_id),
        people.applied(release.event_id),
    ]
    return event, Account([told[0], event], told, [CHARGE], commands=[release])


def test_a_released_event_goes_on_where_intake_left_off() -> None:
    """Its second decision is the ledger's, and repeats nothing."""
    event, account = released()
    assert [*audit(account)] == []
    again = decided(event, 3, Outcome.REPORTED, charge_id="c1", unit=1, cause=event.because, repeated=True)
    account.decisions.append(again)
    assert [*audit(account)] == []
    account.decisions[-1] = replace(again, cause="another")
    assert whats(account) == {"is not told apart from its repetition"}


def test_a_rejected_event_was_rejected_by_somebody() -> None:
    """A command names it."""
    held = decided(FIRST, 1, Outcome.HELD)
    reject = people.spoken("reject", "r1", item=FIRST.event_id)
    account = Account([held], [held, decided(FIRST, 2, Outcome.REJECTED, cause=reject.event_id)])
    assert whats(account) == {"rejected, but nobody rejected it"}
    account.commands.append(reject)
    account.decisions.append(people.applied(reject.event_id))
    assert [*audit(account)] == []


def test_an_opening_covers_what_no_charge_covers() -> None:
    """The decision names the former system's balance instead of a procedure."""
    account = Account([FIRST], [decided(FIRST, 1, Outcome.ALREADY_REPORTED, reason=Reason.OPENING_BALANCE)])
    people.tell(account, people.opened(KEY, "b1"))
    assert [*audit(account)] == []
    account.decisions[0] = decided(FIRST, 1, Outcome.ALREADY_REPORTED)
    assert whats(account) == {"already_reported, but what it names does not fill a unit"}


def test_a_finding_never_names_a_patient() -> None:
    """Items and entries bear patients in their ids, findings must not."""
    account = on_claim()
    account.procedures[1] = acknowledged(Acknowledged.ACCEPTED)
    item = Item(
        id=item_of(Survivor(patient=HOME, event_id="e", survivor=SURVIVOR, at=1)),
        kind=ItemKind.CORRECTION,
        patient=HOME,
        event_ids=("e",),
    )
    account.items.append(item)
    findings: list[Finding] = [*audit(account)]
    assert findings
    assert not [finding for finding in findings if HOME in f"{finding}"]


def test_nobody_can_know_who_credited_a_charge_of_a_forgotten_day() -> None:
    """Billing said only then that it is on a claim."""
    account = Account(
        [FIRST, SECOND, GONE], [*DECISIONS, people.applied(ACK)], [CHARGE, CREDIT, NEXT], days=[]
    )
    people.tell(account, people.spoken("forget", "f1", patient=HOME, before=DATES[1]))
    account.procedures.append(acknowledged())
    assert [*audit(account)] == []
    account.procedures.insert(1, acknowledged())
    assert whats(account) == {"credits a charge that is on a claim, and nobody ruled so"}
