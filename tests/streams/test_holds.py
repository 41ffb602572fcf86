"""Intake and the worklist together: what is wrong with us, or with a command, costs nothing else."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from models.audit import audit
from models.billing import Decision, Outcome, Reason, decode_decision
from models.entries import Acknowledgement, Override, decode_entry
from models.routing import LINKS
from models.worklist import State
from streams.headers import COMMAND, DECIDED, DECISION, EVENT_ID, REDRIVEN_FROM, TYPE
from streams.partitioning import partition_of
from tests.integration.live import said
from tests.streams.desk import Desk

LAB, COMMANDS, ACKS = "lab.procedures", "perdiem.commands", "billing.acks"
HELD, DEAD_LETTERS = "perdiem.held", "perdiem.dead-letters"
SIGNED = {"user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
UNIT = {"patient": "LAKE|1", "stream": "facility", "service": "collection", "service_date": "2025-03-10"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def given(command: str, name: str, **more: Any) -> bytes:
    return json.dumps({"command": command, "id": name, **SIGNED, **more}).encode()


def decided(desk: Desk, event: str) -> list[tuple[int, Outcome, Reason | None]]:
    """Of all that was decided of an event, in order."""
    decisions = [decode_decision(record.value) for record in desk.logs["billing.decisions"]]
    own = sorted((made for made in decisions if made.event_id == event), key=lambda made: made.sequence)
    return [(made.sequence, made.outcome, made.reason) for made in own]


def test_what_is_put_aside_lies_where_commands_on_it_go(desk: Desk) -> None:
    """In the partition of the event id, with its decision; a dead letter under the key of its source."""
    held = desk.take(LAB, said("P", code=None, charge_code="0815"))
    dead = desk.take(LAB, b"{")
    for topic, event, key in ((HELD, held, held.encode()), (DEAD_LETTERS, dead, b"k")):
        [record] = desk.logs[topic]
        assert (record.partition, record.key) == (partition_of(event.encode(), 4), key)
        headers = dict(record.headers)
        assert decode_decision(headers[DECISION]).event_id == event
        command = desk.take(COMMANDS, given("reject" if topic == HELD else "discard", event, item=event))
        assert decided(desk, command) == [(1, Outcome.APPLIED, None)]


def test_what_people_try_in_vain_leaves_the_audit_clean(desk: Desk) -> None:
    """A redrive of what still cannot be read and a release with nothing filled in: each is refused, and its
    event decided once more. Then the record can be read, and is held."""
    held = desk.take(LAB, said("P", code=None, charge_code="0815"))
    dead = desk.take(LAB, b"not json at all")
    wrong, lacking = (
        base64.b64encode(value).decode() for value in (b"[1]", said("Q", code=None, charge_code="0815"))
    )
    tries: list[dict[str, Any]] = [{}, {}, {"value": wrong}]
    for number, more in enumerate(tries):
        for command, item in (("redrive", dead), ("release", held)):
            said_of = more if command == "redrive" else {}
            event = desk.take(COMMANDS, given(command, f"{command} {number}", item=item, **said_of))
            assert decided(desk, event) == [(1, Outcome.REFUSED, Reason.STILL_HELD)]
            assert [*audit(desk.account)] == []
    event = desk.take(COMMANDS, given("redrive", "last", item=dead, value=lacking))
    assert decided(desk, event) == [(1, Outcome.APPLIED, None)]
    assert [outcome for _, outcome, _ in decided(desk, dead)] == [Outcome.DEAD_LETTERED] * 4 + [Outcome.HELD]
    assert [*audit(desk.account)] == []


def test_merges_go_to_one_partition(desk: Desk) -> None:
    """Whoever is merged: all links are in one order. The record says which event it is."""
    event = desk.take(COMMANDS, given("merge", "m", losing="LAKE|01", surviving="LAKE|2"))
    [record] = desk.logs["perdiem.identifiers"]
    assert (record.key, record.partition) == (LINKS, partition_of(LINKS, 4))
    assert record.headers == ((TYPE, COMMAND), (EVENT_ID, event.encode()))
    assert json.loads(record.value)["losing"] == "LAKE|1"


def test_a_defect_of_ours_is_a_dead_letter_and_is_redriven_after_the_repair(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is tried again where it was; what it is about waited meanwhile."""
    event = desk.take(LAB, said("P", code=None, charge_code="0815"))

    def broken(_topic: str, _value: bytes | None) -> Any:
        raise RuntimeError("a defect")

    failed = (Outcome.DEAD_LETTERED, Reason.RULE_FAILED)
    with monkeypatch.context() as defect:
        defect.setattr(desk.sources, "messages", broken)
        release = desk.take(COMMANDS, given("release", "c1", item=event, fill={"code": "38225"}))
        assert decided(desk, release) == [(1, *failed)]
        assert desk.item(DEAD_LETTERS, release).topic == HELD
        desk.take(COMMANDS, given("redrive", "too-early", item=release))
    assert decided(desk, release) == [(1, *failed), (2, *failed)]
    assert desk.item(HELD, event).state is State.OPEN
    item = desk.item(DEAD_LETTERS, release)
    assert (item.state, item.redriven) == (State.OPEN, 1)
    redrive = desk.take(COMMANDS, given("redrive", "c2", item=release))
    assert decided(desk, redrive) == [(1, Outcome.APPLIED, None)]
    assert decided(desk, release)[2:] == [(3, Outcome.APPLIED, None)]
    names = [name for name, _ in desk.logs[HELD][-1].headers]
    assert names == [TYPE, EVENT_ID, REDRIVEN_FROM, DECIDED]
    assert desk.item(HELD, event).state is State.RELEASED
    [statement] = [
        entry
        for record in desk.logs["perdiem.procedures"]
        if not isinstance(entry := decode_entry(record.value), Decision)
    ]
    assert (statement.event_id, statement.because, statement.decided) == (event, release, 1)


def test_a_command_that_came_too_early_is_not_carried_out_when_it_is_delivered_again(desk: Desk) -> None:
    """What it names is there by then; it was refused, and stays refused."""
    event = f"{LAB}:0:0:0"
    early = desk.take(COMMANDS, given("reject", "c1", item=event))
    assert desk.take(LAB, said("P", code=None, charge_code="0815")) == event
    [command] = [record for record in desk.logs[HELD] if dict(record.headers)[TYPE] == COMMAND]
    desk.deliver(command)
    refused = (1, Outcome.REFUSED, Reason.UNKNOWN_ITEM)
    assert decided(desk, early) == [refused, refused]
    assert desk.item(HELD, event).state is State.OPEN


def test_the_list_has_each_item_where_it_stands(desk: Desk) -> None:
    """Open apart from decided, once each, whatever happened to it; what failed again stands where it was."""
    held = desk.take(LAB, said("P", code=None, charge_code="0815"))
    dead = desk.take(LAB, b"{")
    for event in (held, dead):
        assert [(place.is_open, place.id) for place in desk.order(event)] == [(True, event)]
    desk.take(COMMANDS, given("redrive", "r", item=dead))
    assert [place.is_open for place in desk.order(dead)] == [True]
    desk.take(COMMANDS, given("reject", "c1", item=held))
    desk.take(COMMANDS, given("discard", "c2", item=dead))
    for event in (held, dead):
        assert [(place.is_open, place.id) for place in desk.order(event)] == [(False, event)]


@pytest.mark.parametrize("topic", [HELD, DEAD_LETTERS])
def test_what_no_agent_wrote_goes_round_nowhere(desk: Desk, topic: str) -> None:
    """A record without our headers cannot be listed, and stays where it is."""
    desk.take(topic, b"4711")
    assert len(desk.logs[topic]) == 1
    assert desk.logs.keys() == {topic}


@pytest.mark.parametrize("topic", [HELD, DEAD_LETTERS])
def test_a_command_that_nobody_can_carry_out_is_a_dead_letter_once(desk: Desk, topic: str) -> None:
    """Written past intake, say: it is listed, and not sent round."""
    headers = ((TYPE, COMMAND), (EVENT_ID, b"perdiem.commands:0:7:0"))
    desk.take(topic, given("merge", "m", losing="LAKE|1", surviving="LAKE|2"), headers=headers)
    assert decided(desk, "perdiem.commands:0:7:0") == [(1, Outcome.DEAD_LETTERED, Reason.RULE_FAILED)]
    assert desk.item(DEAD_LETTERS, "perdiem.commands:0:7:0").state is State.OPEN
    assert len(desk.logs[HELD]) + len(desk.logs[DEAD_LETTERS]) == 2


@pytest.mark.parametrize(
    ("topic", "wrong", "right", "kind"),
    [
        (COMMANDS, given("allow_unit", "u"), given("allow_unit", "u", **UNIT), Override),
        (
            ACKS,
            b"{}",
            json.dumps({"charge_id": "c", "patient": "LAKE|1", "status": "accepted"}).encode(),
            Acknowledgement,
        ),
    ],
)
def test_a_command_or_an_acknowledgement_is_redriven_as_it_should_have_been(
    desk: Desk, topic: str, wrong: bytes, right: bytes, kind: type[Override | Acknowledgement]
) -> None:
    """Under its own event id; the ledger is told where it comes from, and how much was decided already."""
    event = desk.take(topic, wrong)
    value = base64.b64encode(right).decode()
    desk.take(COMMANDS, given("redrive", "r", item=event, value=value))
    [record] = desk.logs["perdiem.procedures"]
    entry = decode_entry(record.value)
    assert isinstance(entry, kind)
    assert (entry.event_id, record.key) == (event, b"LAKE|1")
    assert record.headers == ((REDRIVEN_FROM, event.rpartition(":")[0].encode()), (DECIDED, b"1"))
    assert [made[0] for made in decided(desk, event)] == [1, 2]


def test_a_command_on_an_item_is_redriven_as_it_should_have_been(desk: Desk) -> None:
    """What it does then is decided on after what was decided of it."""
    event = desk.take(LAB, said("P", code=None, charge_code="0815"))
    command = desk.take(COMMANDS, given("relaese", "c1", item=event))
    right = base64.b64encode(given("reject", "c1", item=event)).decode()
    desk.take(COMMANDS, given("redrive", "c2", item=command, value=right))
    assert [made[:2] for made in decided(desk, command)] == [
        (1, Outcome.DEAD_LETTERED),
        (2, Outcome.APPLIED),
    ]
    assert decided(desk, event)[-1] == (2, Outcome.REJECTED, Reason.REJECTED_BY_PERSON)


def test_a_source_cannot_pass_off_its_own_headers_as_ours(desk: Desk) -> None:
    """The last of a name holds, and ours are the last."""
    spoofed = (
        ("__streams.errors.exception", b"none"),
        ("__streams.errors.topic", b"other"),
        (TYPE, COMMAND),
        (EVENT_ID, b"other"),
        (DECISION, b"{}"),
        ("perdiem-original-key", b"x"),
    )
    event = desk.take(LAB, b"{", headers=spoofed)
    item = desk.item(DEAD_LETTERS, event)
    assert (item.state, item.key, item.headers) == (State.OPEN, b"k", spoofed)
