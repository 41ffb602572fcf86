"""The ledger among the other agents: where the rule fails, nothing is told or counted twice."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.audit import audit
from models.billing import Decision, Outcome, Reason, decode_decision
from models.commands import Redrive
from models.entries import decode_entry, encode_entry
from models.hearing import hear
from models.posting import post
from models.procedures import ProcedureEvent
from models.worklist import State
from streams import holds, identity, ledger
from tests.integration.live import said
from tests.models.entered import allowed
from tests.streams.desk import Desk
from tests.streams.test_holds import ACKS, COMMANDS, DEAD_LETTERS, LAB, UNIT, decided, given

PROCEDURES = "perdiem.procedures"
FAILED = (Outcome.DEAD_LETTERED, Reason.RULE_FAILED)
REPORTED = (Outcome.REPORTED, Reason.FIRST_OF_DAY)
PATIENT = "LAKE|9P"
PAIR = {"losing": "LAKE|5", "surviving": "LAKE|6"}
FORGET = given("forget", "f", patient=PATIENT, before="2026-01-01")
ACK = json.dumps({"charge_id": "c", "patient": "LAKE|1", "status": "accepted"}).encode()
HELD_MESSAGE = said("Q", code=None, charge_code="0815")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def broken(*_: object, **__: object) -> Any:
    raise ZeroDivisionError


def broken_but_for_redrives(item: Any, said: Any, *rest: Any, **more: Any) -> Any:
    """As ``broken``; who redrives is heard."""
    return hear(item, said, *rest, **more) if isinstance(said, Redrive) else broken()


def statements(desk: Desk) -> list[Any]:
    """The records of statements, in order."""
    return [
        record for record in desk.logs[PROCEDURES] if isinstance(decode_entry(record.value), ProcedureEvent)
    ]


def letters(desk: Desk) -> list[str]:
    """The dead letters that are listed, by id, in the order in which they came."""
    names = [dict(record.headers).get("perdiem-event-id", b"").decode() for record in desk.logs[DEAD_LETTERS]]
    return [name for name in dict.fromkeys(names) if desk.item(DEAD_LETTERS, name)]


def told_once(desk: Desk) -> bool:
    """Whether no number of an event is used for two decisions, and none is left out."""
    said: dict[str, dict[int, Decision]] = {}
    for record in desk.logs["billing.decisions"]:
        decision = decode_decision(record.value)
        if said.setdefault(decision.event_id, {}).setdefault(decision.sequence, decision) != decision:
            return False
    return all({*numbers} == {*range(1, len(numbers) + 1)} for numbers in said.values())


def restated(desk: Desk) -> bytes:
    """A command that restates the first statement."""
    statement = decode_entry(statements(desk)[0].value)
    changed = {**msgspec.to_builtins(statement), "charge_code": "C9", "settings": "s2"}
    return given("restate", "s", statement=changed)


@pytest.mark.parametrize("by_intake", [False, True], ids=["by the ledger", "by intake"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, None),
        (None, FORGET),
        (FORGET, None),
        (None, given("merge", "m", losing=PATIENT, surviving="LAKE|2")),
    ],
    ids=["kept", "forgotten", "too old", "merged"],
)
def test_where_a_statement_only_comes_again_its_decision_stays(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    before: bytes | None,
    after: bytes | None,
    by_intake: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What the rule fails on then had its effect before: it is decided and counted as it was."""
    if before:
        desk.take(COMMANDS, before)
    event = desk.take(LAB, said("P"))
    if after:
        desk.take(COMMANDS, after)
    record = desk.logs[LAB][0] if by_intake else statements(desk)[0]
    known = decided(desk, event)
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        desk.deliver(record)
    assert decided(desk, event) == known
    assert not letters(desk)
    [told] = caplog.records
    assert vars(told)["event_id"] == event
    assert vars(told)["error"].startswith("ZeroDivisionError at ")
    desk.deliver(record)
    assert len(decided(desk, event)) > len(known)
    assert told_once(desk)
    assert desk.balances


@pytest.mark.parametrize("by_intake", [False, True], ids=["by the ledger", "by intake"])
@pytest.mark.parametrize("redriven", [False, True])
def test_where_a_command_only_comes_again_its_answer_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, by_intake: bool, redriven: bool
) -> None:
    """What the rule fails on then had its effect before, and is answered as it was after the repair."""
    with monkeypatch.context() as defect:
        if redriven:
            defect.setattr(ledger, "post", broken)
        event = desk.take(COMMANDS, given("allow_unit", "c", **UNIT))
    if redriven:
        desk.take(COMMANDS, given("redrive", "r", item=event))
    record = desk.logs[COMMANDS][0] if by_intake else desk.logs[PROCEDURES][-1]
    known, listed = decided(desk, event), letters(desk)
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        desk.deliver(record)
    assert (decided(desk, event), letters(desk)) == (known, listed)
    desk.deliver(record)
    assert {*decided(desk, event)} == {*known}
    assert told_once(desk)


def test_an_acknowledgement_that_only_comes_again_keeps_its_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rule fails on then was answered before."""
    event = desk.take(ACKS, ACK)
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        desk.deliver(desk.logs[PROCEDURES][0])
    assert decided(desk, event) == [(1, Outcome.REFUSED, Reason.UNKNOWN_CHARGE)]
    assert not letters(desk)


def test_what_no_ledger_can_read_is_a_dead_letter_once(desk: Desk) -> None:
    """Named by its own place; delivered again it is known."""
    event = desk.take(PROCEDURES, b"{4711", b"LAKE|1")
    desk.reset()
    assert letters(desk) == [event]
    assert decided(desk, event) == [(1, *FAILED)]
    assert len(desk.logs[DEAD_LETTERS]) == 1


def test_a_command_that_the_ledger_could_not_read_is_answered_from_one(desk: Desk) -> None:
    """Redriven as it should have been: of the command itself nothing was decided before."""
    right = encode_entry(allowed("c", patient="LAKE|1", event_id="perdiem.commands:1:0:0"))
    event = decode_entry(right).event_id
    place = desk.take(PROCEDURES, right.replace(b"override", b"overide"), b"LAKE|1", partition=2)
    desk.take(COMMANDS, given("redrive", "r", item=place, value=base64.b64encode(right).decode()))
    assert decided(desk, event) == [(1, Outcome.APPLIED, None)]


@pytest.mark.parametrize("before", [True, False], ids=["decided before", "dead letter before"])
def test_where_a_statement_is_sent_on_again_its_decision_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """Home sends it on to the survivor a second time, in a record that is new there."""

    def fails(patient: Any, read: Any, entry: Any) -> Any:
        return broken() if entry.patient == "LAKE|3" else post(patient, read, entry)

    desk.take(COMMANDS, given("merge", "m", losing=PATIENT, surviving="LAKE|3"))
    desk.take(LAB, said("P"))
    if before:
        event = desk.take(LAB, said("P", version=2))
        monkeypatch.setattr(ledger, "post", fails)
    else:
        with monkeypatch.context() as defect:
            defect.setattr(ledger, "post", fails)
            event = desk.take(LAB, said("P", version=2))
    known, listed, count = decided(desk, event), letters(desk), len(statements(desk))
    [first] = [each for each in statements(desk)[:-1] if decode_entry(each.value).event_id == event]
    desk.deliver(first)
    assert len(statements(desk)) == count + 1
    assert (decided(desk, event), letters(desk)) == (known, listed)
    assert desk.balances


def test_a_statement_that_the_rule_failed_on_waits_for_a_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered again it stays a dead letter, also after the repair; redriven its number goes on."""
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        event = desk.take(LAB, said("P"))
        desk.deliver(statements(desk)[0])
        assert decided(desk, event) == [(1, *FAILED)]
    desk.reset()
    assert decided(desk, event) == [(1, *FAILED)]
    assert desk.balances
    desk.take(COMMANDS, given("redrive", "r", item=event))
    assert decided(desk, event) == [(1, *FAILED), (2, *REPORTED)]
    desk.reset()
    assert {made[1:] for made in decided(desk, event)} == {FAILED, REPORTED}
    assert len(desk.logs["billing.events"]) == 1
    assert desk.balances
    assert told_once(desk)


def test_a_command_that_the_rule_failed_on_waits_for_a_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered again it stays a dead letter, also after the repair."""
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        event = desk.take(COMMANDS, given("allow_unit", "c", **UNIT))
    desk.reset()
    assert decided(desk, event) == [(1, *FAILED)]
    assert desk.item(DEAD_LETTERS, event).state is State.OPEN


def test_a_restatement_that_the_rule_failed_on_answers_its_command(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement stays as it was, counted once; redriven, the same command is answered and no other."""
    event = desk.take(LAB, said("P"))
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        command = desk.take(COMMANDS, restated(desk))
        assert decided(desk, command) == [(1, *FAILED)]
    assert decided(desk, event) == [(1, *REPORTED)]
    assert desk.balances
    redrive = desk.take(COMMANDS, given("redrive", "r", item=command))
    assert decided(desk, redrive) == [(1, Outcome.APPLIED, None)]
    assert decided(desk, command) == [(1, *FAILED), (2, Outcome.APPLIED, None)]
    assert len(decided(desk, event)) == 2
    assert desk.balances


@pytest.mark.parametrize(
    ("agent", "rule", "topic", "value"),
    [
        (ledger, "post", COMMANDS, given("allow_unit", "c", **UNIT)),
        (ledger, "post", COMMANDS, given("forget", "c", patient="LAKE|1", before="2020-01-01")),
        (ledger, "post", COMMANDS, None),
        (ledger, "post", ACKS, ACK),
        (identity, "link", COMMANDS, given("merge", "c", losing="LAKE|3", surviving="LAKE|4")),
        (
            identity,
            "link",
            COMMANDS,
            given("undo_merge", "c", merge="m", losing="LAKE|5", surviving="LAKE|6"),
        ),
        (holds, "hear", COMMANDS, given("reject", "c", item=f"{LAB}:0:1:0")),
        (holds, "hear", COMMANDS, given("release", "c", item=f"{LAB}:0:1:0", fill={"code": "38225"})),
    ],
    ids=["allow", "forget", "restate", "acknowledgement", "merge", "undo", "reject", "release"],
)
@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_what_was_redriven_is_told_as_before_after_a_reset_of_offsets(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    agent: Any,
    rule: str,
    topic: str,
    value: bytes | None,
    twice: bool,
) -> None:
    """No number of a decision is used for another one, and what was done is not done again."""
    desk.take(LAB, said("P"))
    desk.take(LAB, HELD_MESSAGE)
    desk.take(COMMANDS, given("merge", "m", **PAIR))
    with monkeypatch.context() as defect:
        defect.setattr(agent, rule, broken_but_for_redrives if agent is holds else broken)
        event = desk.take(topic, value or restated(desk))
        if twice:
            desk.take(COMMANDS, given("redrive", "early", item=event))
    desk.take(COMMANDS, given("redrive", "r", item=event))
    before, charged = decided(desk, event), [*desk.logs["billing.events"]]
    assert before[-1][1] is not Outcome.DEAD_LETTERED
    assert told_once(desk)
    assert [*audit(desk.account)] == []
    desk.reset()
    assert {*decided(desk, event)} == {*before}
    assert desk.logs["billing.events"] == charged
    assert told_once(desk)
    assert desk.balances


def test_what_is_decided_of_a_redriven_command_later_goes_on_in_number(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the redrive it waits for a person, since a charge is on a claim; the person releases it."""
    desk.take(LAB, said("P"))
    charge = json.loads(desk.logs["billing.events"][0].value)["id"]
    desk.take(ACKS, json.dumps({"charge_id": charge, "patient": PATIENT, "status": "on_claim"}).encode())
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        command = desk.take(COMMANDS, given("opening_balance", "o", **{**UNIT, "patient": PATIENT}))
    desk.take(COMMANDS, given("redrive", "r", item=command))
    desk.take(COMMANDS, given("release", "l", item="opening:o"))
    assert decided(desk, command) == [
        (1, *FAILED),
        (2, Outcome.HELD, Reason.ON_CLAIM),
        (3, Outcome.APPLIED, None),
    ]


def test_a_redriven_ruling_leaves_the_numbers_of_what_it_rules_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's word became a dead letter between the agents: what waited is decided next in number."""
    desk.take(LAB, said("P"))
    charge = json.loads(desk.logs["billing.events"][0].value)["id"]
    desk.take(ACKS, json.dumps({"charge_id": charge, "patient": PATIENT, "status": "on_claim"}).encode())
    command = desk.take(COMMANDS, given("opening_balance", "o", **{**UNIT, "patient": PATIENT}))
    with monkeypatch.context() as defect:
        defect.setattr(ledger, "post", broken)
        desk.take(COMMANDS, given("release", "l", item="opening:o"))
    [ruling] = letters(desk)
    desk.take(COMMANDS, given("redrive", "r", item=ruling))
    assert decided(desk, command) == [(1, Outcome.HELD, Reason.ON_CLAIM), (2, Outcome.APPLIED, None)]


@pytest.mark.parametrize("timestamp", [-1, 0, 1_700_000_000_000_000, 10**18])
def test_a_record_whose_time_is_none_is_charged_and_counted(desk: Desk, timestamp: int) -> None:
    """A producer that sets microseconds, or nothing, stops no partition."""
    desk.timestamp = timestamp
    event = desk.take(LAB, said("P1"))
    assert [made[1:] for made in decided(desk, event)] == [REPORTED]
    assert desk.balances
