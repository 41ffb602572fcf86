"""Whether what people and billing were told of their commands is true."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from models.account import Account, Spoken
from models.audit import audit
from models.billing import Acknowledged, Outcome, Reason
from models.entries import Acknowledgement, Override, Ruling
from models.findings import Figure
from models.procedures import Stream
from models.reading import told
from models.standing import Key
from models.worklist import Item, Kind
from tests.models import people
from tests.models.accounts import CHARGE, DECISIONS, FIRST
from tests.models.people import NOON
from tests.models.strategies import DATES, PATIENTS, SERVICES

HOME, SURVIVOR = PATIENTS
KEY = Key(HOME, Stream.FACILITY, SERVICES[0], DATES[0])
ALLOW, BACK = people.allowed(KEY, "o1"), people.taken_back(KEY, "t1", "o1")
FORGET = people.spoken("forget", "f1", patient=HOME, before=DATES[0])
REJECT = people.spoken("reject", "r1", item="alert")
RELEASE = people.spoken("release", "r2", item="lab.procedures:0:9:0")
DISCARD = people.spoken("discard", "d1", item="lab.procedures:0:9:0")
REDRIVE = people.spoken("redrive", "d2", item="lab.procedures:0:9:0")
RESTATE = people.spoken("restate", "s1", statement={})


def whats(account: Account) -> set[str]:
    return {finding.what for finding in audit(account)}


def answered(spoken: Spoken, outcome: Outcome, **more: Any) -> Account:
    return Account(commands=[spoken], decisions=[people.applied(spoken.event_id, outcome, **more)])


@pytest.mark.parametrize("spoken", [ALLOW, BACK, FORGET, people.opened(KEY, "b1")])
def test_a_command_about_a_patient_is_passed_on_as_it_was_given(spoken: Spoken) -> None:
    """And decided: each of the three alone is found."""
    account = Account()
    people.tell(account, spoken)
    assert [*audit(account)] == []
    assert whats(Account(commands=[spoken], procedures=account.procedures)) == {"has no decision"}
    assert whats(Account(commands=[spoken], decisions=account.decisions)) == {
        "applied, but it has had no effect"
    }
    stray = Account(procedures=account.procedures, decisions=account.decisions)
    assert "was passed on, but nobody commanded it" in whats(stray)


def test_a_command_that_was_changed_on_its_way_is_found() -> None:
    """Another name, another day, another ruling."""
    account = Account()
    people.tell(account, ALLOW)
    [entry] = account.procedures
    assert isinstance(entry, Override)
    for changes in ({"name": "o2"}, {"service_date": DATES[1]}, {"stands": False}):
        account.procedures = [replace(entry, **changes)]
        assert "was passed on as another command" in whats(account)
    account = Account()
    ruling = people.rule(account, "claimed:c1", HOME, apply=True)
    account.procedures = [Ruling(patient=HOME, event_id=ruling.event_id, item="claimed:c1", apply=False)]
    assert "was passed on as another ruling" in whats(account)


def test_a_command_sent_again_is_repeated_and_applied_once() -> None:
    """Under the same id to the same patient; another patient's ledger knows nothing of it."""
    again = people.allowed(KEY, "o1")
    account = Account()
    people.tell(account, ALLOW, again)
    assert {finding.figure for finding in audit(account)} == {Figure.DOUBLED}
    account.decisions[1] = people.applied(again.event_id, Outcome.REPEATED, of=ALLOW.event_id)
    assert [*audit(account)] == []
    for of in (None, again.event_id, BACK.event_id):
        account.decisions[1] = people.applied(again.event_id, Outcome.REPEATED, of=of)
        assert whats(account) == {"repeated, but it names no other record of its command"}
    account = Account()
    people.tell(account, ALLOW, people.allowed(KEY._replace(patient=SURVIVOR), "o1"))
    assert [*audit(account)] == []


def test_a_command_that_repeats_another_allows_nothing() -> None:
    """Whatever it says: the first of its name holds."""
    again = people.allowed(KEY._replace(service_date=DATES[1]), "o1")
    account = Account()
    people.tell(account, ALLOW, again)
    account.decisions[1] = people.applied(again.event_id, Outcome.REPEATED, of=ALLOW.event_id)
    latest = {decision.event_id: decision for decision in account.decisions}
    assert told(account, latest).units == people.units(ALLOW)


def test_a_command_that_cannot_be_read_is_a_dead_letter_and_no_other() -> None:
    """Unless nobody could say whether its patients are known."""
    unread = Spoken("perdiem.commands:0:99:0", None)
    assert [*audit(answered(unread, Outcome.DEAD_LETTERED))] == []
    assert whats(answered(unread, Outcome.APPLIED)) == {"applied, but it cannot be read"}
    assert whats(answered(ALLOW, Outcome.DEAD_LETTERED)) == {"dead_lettered, but it can be read"}
    assert [*audit(answered(ALLOW._replace(normal=False), Outcome.DEAD_LETTERED))] == []


def test_a_command_is_applied_repeated_refused_or_a_dead_letter() -> None:
    """What becomes of procedures cannot become of a command."""
    assert whats(answered(ALLOW, Outcome.REPORTED)) == {"reported, but that cannot become of a command"}
    assert whats(answered(ALLOW, Outcome.REFUSED)) == {"refused, but nothing is against it"}
    assert whats(answered(ALLOW, Outcome.REJECTED)) == {"rejected, but nobody ruled against it"}
    held = answered(ALLOW, Outcome.HELD, reason=Reason.ON_CLAIM)
    assert "held, but nothing of it is parked" in whats(held)


def test_an_override_that_was_taken_back_before_may_be_refused() -> None:
    """It can have no effect."""
    account = Account()
    people.tell(account, BACK, ALLOW)
    assert [*audit(account)] == []
    account.decisions[-1] = people.applied(ALLOW.event_id, Outcome.REFUSED, reason=Reason.ALREADY_DONE)
    assert [*audit(account)] == []


def test_a_command_that_is_parked_says_so() -> None:
    """Until somebody rules on it."""
    account = Account([FIRST], [DECISIONS[0]], [CHARGE])
    people.tell(account, ALLOW, BACK)
    acknowledged = Acknowledgement(patient=HOME, event_id="a", charge_id="c1", status=Acknowledged.ON_CLAIM)
    account.procedures.append(acknowledged)
    account.decisions[-1] = people.applied(BACK.event_id, Outcome.HELD, reason=Reason.ON_CLAIM)
    account.decisions.append(people.applied("a"))
    assert "held, but nothing of it is parked" in whats(account)
    account.items.append(Item(id="override:t1", kind=Kind.CORRECTION, patient=HOME))
    assert [*audit(account)] == []


@pytest.mark.parametrize("spoken", [RELEASE, REJECT, RESTATE])
def test_what_is_said_to_be_applied_has_had_an_effect(spoken: Spoken) -> None:
    """A statement was taken in, an item ruled on or closed."""
    assert whats(answered(spoken, Outcome.APPLIED)) == {"applied, but it has had no effect"}
    assert [*audit(answered(spoken, Outcome.REFUSED, reason=Reason.UNKNOWN_ITEM))] == []
    assert [*audit(answered(DISCARD, Outcome.APPLIED))] == []


def test_a_redrive_is_applied_when_something_more_is_decided() -> None:
    """Of what it names; alone of what our agents told each other is nothing decided but the failure."""
    dead = people.applied(
        "lab.procedures:0:9:0", Outcome.DEAD_LETTERED, reason=Reason.RULE_FAILED, received=1
    )
    redriven = answered(REDRIVE, Outcome.APPLIED)
    for further, is_found in (
        ([dead], True),
        ([dead, replace(dead, sequence=2, outcome=Outcome.APPLIED)], False),
        ([replace(dead, received=None)], False),
    ):
        account = Account(commands=redriven.commands, decisions=[*redriven.decisions, *further])
        assert ("applied, but it has had no effect" in whats(account)) is is_found


def test_an_alert_is_closed_by_its_rejection() -> None:
    """There is such an item."""
    account = answered(REJECT, Outcome.APPLIED)
    account.items.append(Item(id="alert", kind=Kind.ALERT))
    assert [*audit(account)] == []


def test_what_is_said_to_be_refused_has_had_no_effect() -> None:
    """A release that was refused brings nothing in."""
    release = people.spoken("release", "r3", item=FIRST.event_id)
    account = answered(release, Outcome.REFUSED)
    account.procedures.append(replace(FIRST, because=release.event_id))
    account.decisions.append(DECISIONS[0])
    account.billing_events.append(CHARGE)
    assert whats(account) == {"refused, but it had an effect"}


def test_a_redrive_that_fails_again_is_refused_however_often() -> None:
    """Each has the record decided once more: that it could not be read is no effect of the redrive."""
    dead = people.applied("lab.procedures:0:9:0", Outcome.DEAD_LETTERED, received=1)
    account = Account(decisions=[dead])
    for number in (1, 2):
        redrive = people.spoken("redrive", f"d{number}", item=dead.event_id)
        account.commands.append(redrive)
        account.decisions.append(people.applied(redrive.event_id, Outcome.REFUSED, reason=Reason.STILL_HELD))
        account.decisions.append(replace(dead, sequence=number + 1, cause=redrive.event_id))
        assert [*audit(account)] == []


def test_a_redriven_record_that_is_held_then_was_taken_in() -> None:
    """It can be read now: the redrive is applied, and what is missing waits for a person."""
    dead = people.applied("lab.procedures:0:9:0", Outcome.DEAD_LETTERED, received=1)
    redrive = people.spoken("redrive", "d1", item=dead.event_id)
    account = answered(redrive, Outcome.APPLIED)
    account.decisions.append(dead)
    assert whats(account) == {"applied, but it has had no effect"}
    account.decisions.append(replace(dead, sequence=2, cause=redrive.event_id, outcome=Outcome.HELD))
    assert [*audit(account)] == []


@pytest.mark.parametrize("kind", ["release", "redrive", "restate"])
def test_nothing_is_taken_in_again_that_nobody_named(kind: str) -> None:
    """A release and a restatement name the event, a redrive its record."""

    def taken_in(event_id: str) -> set[str]:
        named = {"statement": {"event_id": event_id}} if kind == "restate" else {"item": event_id}
        command = people.spoken(kind, "c", **named)
        event = replace(FIRST, because=command.event_id, restated=1 if kind == "restate" else 0)
        account = Account([event], [DECISIONS[0], people.applied(command.event_id)], [CHARGE])
        account.commands.append(command)
        return whats(account)

    nobody = {"was taken in, but nobody commanded it"}
    assert taken_in(FIRST.event_id) == set()
    assert taken_in("lab.procedures:0:99:0") == nobody
    assert taken_in(FIRST.event_id.removesuffix("0") + "1") == (set() if kind == "redrive" else nobody)
    stray = Account([replace(FIRST, because="c")], [DECISIONS[0]], [CHARGE])
    assert whats(stray) == nobody


def test_a_merge_is_applied_if_and_only_if_it_holds() -> None:
    """The later one of a circle is refused, for good; the earlier one holds until it is undone."""
    one = people.spoken("merge", "m1", losing=HOME, surviving=SURVIVOR)
    two = people.spoken("merge", "m2", losing=SURVIVOR, surviving=HOME)
    account = Account(commands=[two, one])
    account.decisions = [
        people.applied(one.event_id),
        people.applied(two.event_id, Outcome.REFUSED, reason=Reason.WOULD_CYCLE),
    ]
    assert [*audit(account)] == []
    account.decisions.reverse()
    account.decisions[0] = people.applied(two.event_id)
    closes = "applied, but it would close a circle, or its losing patient is merged already"
    assert whats(account) == {closes}
    undo = people.spoken("undo_merge", "u1", merge="m1", losing=HOME, surviving=SURVIVOR)
    account.commands.append(undo)
    account.decisions.append(people.applied(undo.event_id))
    account.decisions[0] = people.applied(two.event_id, Outcome.REFUSED)
    assert whats(account) == {"applied, but it was undone"}
    account.decisions[1] = people.applied(one.event_id, Outcome.UNDONE)
    assert [*audit(account)] == []
    account.commands.remove(undo)
    assert "undone, but nobody undid it" in whats(account)
    account.decisions[1] = people.applied(one.event_id, Outcome.REFUSED)
    assert "refused, but nothing is against it" in whats(account)
    account.decisions[1] = people.applied(one.event_id, Outcome.REPORTED)
    assert "reported, but that cannot become of a merge" in whats(account)


def test_a_merge_is_refused_for_what_was_decided_before_it_alone() -> None:
    """The patient was merged already, or a chain leads back to it, however long."""
    minutes = [NOON + timedelta(minutes=minute) for minute in range(3)]
    pairs = [(HOME, SURVIVOR), (SURVIVOR, "UH|3"), ("UH|3", HOME)]
    merges = [
        people.spoken("merge", f"m{number}", losing=losing, surviving=surviving, time=minutes[number])
        for number, (losing, surviving) in enumerate(pairs)
    ]
    outcomes = [Outcome.APPLIED, Outcome.APPLIED, Outcome.REFUSED]
    decisions = [people.applied(one.event_id, each) for one, each in zip(merges, outcomes, strict=True)]
    assert [*audit(Account(commands=merges, decisions=decisions))] == []
    decisions[1:] = [people.applied(merges[1].event_id, Outcome.REFUSED), people.applied(merges[2].event_id)]
    assert whats(Account(commands=merges, decisions=decisions)) == {"refused, but nothing is against it"}


def test_an_acknowledgement_is_applied_to_a_charge_that_was_written() -> None:
    """Refused where there is none, repeated where the same was said before."""

    def acked(charge_id: str, *decided: tuple[Outcome, str | None]) -> set[str]:
        names = [f"billing.acks:0:{number}:0" for number in range(len(decided))]
        acknowledged = [
            Acknowledgement(patient=HOME, event_id=name, charge_id=charge_id, status=Acknowledged.ACCEPTED)
            for name in names
        ]
        made = [people.applied(n, outcome, of=of) for n, (outcome, of) in zip(names, decided, strict=True)]
        return whats(Account([FIRST, *acknowledged], [DECISIONS[0], *made], [CHARGE]))

    first = "billing.acks:0:0:0"
    assert acked("c1", (Outcome.APPLIED, None), (Outcome.REPEATED, first)) == set()
    assert acked("c9", (Outcome.REFUSED, None)) == set()
    assert acked("c9", (Outcome.APPLIED, None)) == {"applied, but there is no such charge"}
    assert acked("c1", (Outcome.REFUSED, None)) == {"refused, but there is such a charge"}
    assert acked("c1", (Outcome.REPEATED, first)) == {"repeated, but it names no other of the same"}
    assert acked("c1", (Outcome.HELD, None)) == {"held, but that cannot become of an acknowledgement"}
    silent = Acknowledgement(patient=HOME, event_id="a", charge_id="c1", status=Acknowledged.ACCEPTED)
    assert whats(Account([FIRST, silent], [DECISIONS[0]], [CHARGE])) == {"has no decision"}
