"""What is held and what became a dead letter waits for a person; what a person decides happens once."""

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from models.billing import Acknowledged, Decision, Outcome, Reason
from models.commands import Reject
from models.entries import (
    Acknowledgement,
    Expiry,
    Opening,
    Override,
    Ruling,
    decode_entry,
    encode_entry,
)
from models.links import Merge, encode_link
from models.procedures import ProcedureEvent
from models.routing import LINKS
from models.worklist import Item, Kind, State, encode_item
from streams.headers import COMMAND, EVENT_ID, ITEM, REDRIVEN_FROM, TYPE
from streams.partitioning import partition_of
from streams.why import of_event
from streams.worklist import dead_letters, every, held
from tests.group import Group
from tests.integration.live import Live, said
from tests.kafka import Sent, read_all

pytestmark = pytest.mark.integration

COMMANDS, ACKS, HELD = "perdiem.commands", "billing.acks", "perdiem.held"
LAKE = {"patient": {"assigning_authority": "LAKE"}}
"""What fills in whose number it is."""


def a_command(command: str, name: str, **more: Any) -> Sent:
    """As a person gives it; ``name`` is its id. Those on one item lie in one partition, in order."""
    given = {"command": command, "id": name, "user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
    about = more.get("item") or more.get("patient") or name
    return Sent(COMMANDS, json.dumps(given | more).encode(), about.encode())


def nobodys(procedure_id: str, **more: Any) -> bytes:
    """A statement that is held: nobody knows who assigned the patient's number. Each is another patient's."""
    return said(procedure_id, patient={"mrn": f"7{procedure_id}", "assigning_authority": "NOBODY"}, **more)


async def became(live: Live, event_id: str) -> list[tuple[int, Outcome, str]]:
    """Sequence, outcome and cause of each decision about an event, in order."""
    decisions = (await live.decisions())[event_id]
    assert len({decision.sequence for decision in decisions}) == len(decisions)
    return [(each.sequence, each.outcome, each.cause) for each in sorted(decisions, key=_sequence)]


def _sequence(decision: Decision) -> int:
    return decision.sequence


async def only(live: Live, event_id: str) -> tuple[Outcome, Reason | None]:
    """Outcome and reason of a command's one decision."""
    [decision] = (await live.decisions())[event_id]
    assert (decision.sequence, decision.cause) == (1, event_id)
    return decision.outcome, decision.reason


async def entries(live: Live, event_id: str) -> list[Any]:
    """What went to the ledger because of an event."""
    found = [decode_entry(each.value) for each in await read_all(live.settings, live.topics.procedures.name)]
    return [
        entry
        for entry in found
        if not isinstance(entry, Decision) and event_id in (entry.event_id, getattr(entry, "because", None))
    ]


async def charged(live: Live, procedure_id: str) -> int:
    """Billing events of a procedure."""
    return sum(event.procedure.procedure_id == procedure_id for event in await live.billing_events())


async def test_a_held_event_is_released_with_what_was_missing(live: Live) -> None:
    """It becomes a charge under its own event id, brought about by the command; again nothing comes of it."""
    [event] = await live.take([nobodys("R1")])
    assert (await held(live.settings, every))[event].state is State.OPEN
    [release] = await live.take([a_command("release", "r1", item=event, fill=LAKE)])
    assert await became(live, event) == [
        (1, Outcome.HELD, event),
        (2, Outcome.REPORTED, release),
    ]
    assert await only(live, release) == (Outcome.APPLIED, None)
    [billed] = [each for each in await live.billing_events() if each.event_id == event]
    assert (billed.patient, billed.cause) == ("LAKE|7R1", release)
    assert (await held(live.settings, every))[event].state is State.RELEASED
    [again] = await live.take([a_command("release", "r1-again", item=event, fill=LAKE)])
    assert await only(live, again) == (Outcome.REFUSED, Reason.ALREADY_DONE)
    assert len(await became(live, event)) == 2
    assert await charged(live, "R1") == 1


async def test_a_repeated_command_id_is_one_command(live: Live) -> None:
    """Sent twice by whatever accident: the second names the first, and one charge stands."""
    [event] = await live.take([nobodys("R2")])
    command = a_command("release", "r2", item=event, fill=LAKE)
    first, second = await live.take([command, command])
    assert await only(live, first) == (Outcome.APPLIED, None)
    [decision] = (await live.decisions())[second]
    assert (decision.outcome, decision.of) == (Outcome.REPEATED, first)
    assert await charged(live, "R2") == 1


async def test_what_still_does_not_resolve_stays_held(live: Live) -> None:
    """With what is wrong with it now; a later release takes it in."""
    [event] = await live.take([nobodys("R3", code=None, charge_code="0815")])
    first = a_command("release", "r3", item=event, fill={"patient": {"assigning_authority": "NOBODY2"}})
    [still] = await live.take([first])
    assert await only(live, still) == (Outcome.REFUSED, Reason.STILL_HELD)
    item = (await held(live.settings, every))[event]
    assert (item.state, item.reason) == (State.OPEN, Reason.UNKNOWN_AUTHORITY)
    fill = {"code": "38225", **LAKE}
    [release] = await live.take([a_command("release", "r3-again", item=event, fill=fill)])
    assert await became(live, event) == [
        (1, Outcome.HELD, event),
        (2, Outcome.HELD, still),
        (3, Outcome.REPORTED, release),
    ]


async def test_what_was_superseded_meanwhile_is_released_without_a_charge(live: Live) -> None:
    """The source stated it again, rightly, before a person looked: that holds."""
    [event] = await live.take([said("R4", code=None, charge_code="0815")])
    [right] = await live.take([said("R4", version=2)])
    [release] = await live.take([a_command("release", "r4", item=event, fill={"code": "38225"})])
    assert await became(live, event) == [(1, Outcome.HELD, event), (2, Outcome.SUPERSEDED, release)]
    assert (await became(live, right))[-1][1] is Outcome.REPORTED
    assert await charged(live, "R4") == 1


async def test_what_is_rejected_is_never_charged(live: Live) -> None:
    """The decision says that a person rejected it; a release after that is refused."""
    [event] = await live.take([said("R5", code=None, charge_code="0815")])
    [reject] = await live.take([a_command("reject", "r5", item=event)])
    assert await became(live, event) == [(1, Outcome.HELD, event), (2, Outcome.REJECTED, reject)]
    [late] = await live.take([a_command("release", "r5-late", item=event, fill={"code": "38225"})])
    assert await only(live, late) == (Outcome.REFUSED, Reason.ALREADY_DONE)
    assert await charged(live, "R5") == 0


async def test_a_dead_letter_is_redriven_corrected(live: Live) -> None:
    """It is charged under its own event id; what is sent says where it came from."""
    [event] = await live.take([said("D1", status="done")])
    value = _base64(said("D1"))
    [redrive] = await live.take([a_command("redrive", "d1", item=event, value=value)])
    assert await became(live, event) == [
        (1, Outcome.DEAD_LETTERED, event),
        (2, Outcome.REPORTED, redrive),
    ]
    assert await only(live, redrive) == (Outcome.APPLIED, None)
    [sent] = [
        record
        for record in await read_all(live.settings, live.topics.procedures.name)
        if isinstance(entry := decode_entry(record.value), ProcedureEvent) and entry.event_id == event
    ]
    assert dict(sent.headers)[REDRIVEN_FROM].decode() == event.rpartition(":")[0]
    item = (await dead_letters(live.settings, every))[event]
    assert (item.state, item.redriven) == (State.REDRIVEN, 1)


async def test_a_dead_letter_that_fails_again_stays(live: Live) -> None:
    """It is not sent round: it waits as before, and says how many times it was tried."""
    [event] = await live.take([said("D2", status="done")])
    [redrive] = await live.take([a_command("redrive", "d2", item=event)])
    assert await only(live, redrive) == (Outcome.REFUSED, Reason.STILL_HELD)
    assert await became(live, event) == [
        (1, Outcome.DEAD_LETTERED, event),
        (2, Outcome.DEAD_LETTERED, redrive),
    ]
    item = (await dead_letters(live.settings, every))[event]
    assert (item.state, item.redriven) == (State.OPEN, 1)
    letters = await read_all(live.settings, live.topics.dead_letters.name)
    own = [record for record in letters if dict(record.headers)[EVENT_ID] == event.encode()]
    assert len(own) == 1


async def test_a_dead_letter_that_is_readable_but_incomplete_is_held_then(live: Live) -> None:
    """Redriven corrected in one field, it lacks another: a person fills that in, and it is charged."""
    [event] = await live.take([said("D3", status="done")])
    value = _base64(nobodys("D3"))
    [redrive] = await live.take([a_command("redrive", "d3", item=event, value=value)])
    [release] = await live.take([a_command("release", "d3-release", item=event, fill=LAKE)])
    assert await became(live, event) == [
        (1, Outcome.DEAD_LETTERED, event),
        (2, Outcome.HELD, redrive),
        (3, Outcome.REPORTED, release),
    ]


async def test_what_is_discarded_is_over(live: Live) -> None:
    """A redrive after it is refused."""
    [event] = await live.take([b"{"])
    [discard] = await live.take([a_command("discard", "d4", item=event)])
    assert await became(live, event) == [(1, Outcome.DEAD_LETTERED, event), (2, Outcome.REJECTED, discard)]
    [late] = await live.take([a_command("redrive", "d4-late", item=event)])
    assert await only(live, late) == (Outcome.REFUSED, Reason.ALREADY_DONE)


async def test_what_the_rule_fails_on_is_redriven_after_the_repair(live: Live) -> None:
    """As it is it fails again and is listed again; as it should have been it is charged."""
    [good] = await live.take([said("D5")])
    [whole] = [entry for entry in await entries(live, good) if isinstance(entry, ProcedureEvent)]
    event = "lab.procedures:0:999999999:0"
    broken = _entry(whole, event).replace(b'"facility":"lakeside",', b"")
    await live.take([Sent("perdiem.procedures", broken, whole.patient.encode())])
    first = (await dead_letters(live.settings, every))[event]
    assert (first.state, first.reason, first.topic) == (
        State.OPEN,
        Reason.RULE_FAILED,
        live.topics.procedures.name,
    )
    [as_it_is] = await live.take([a_command("redrive", "d5", item=event)])
    assert await only(live, as_it_is) == (Outcome.APPLIED, None)
    again = (await dead_letters(live.settings, every))[event]
    assert (again.state, again.redriven) == (State.OPEN, 1)
    assert first.offset is not None
    assert again.offset is not None
    assert again.offset > first.offset
    [redrive] = await live.take(
        [a_command("redrive", "d5-again", item=event, value=_base64(_entry(whole, event)))]
    )
    assert await became(live, event) == [
        (1, Outcome.DEAD_LETTERED, event),
        (2, Outcome.DEAD_LETTERED, as_it_is),
        (3, Outcome.REPEATED, redrive),
    ]
    item = (await dead_letters(live.settings, every))[event]
    assert (item.state, item.redriven) == (State.REDRIVEN, 2)


async def test_what_identity_fails_on_takes_no_merge_with_it(live: Live) -> None:
    """It is a dead letter, named by its place; redriven as it should have been, it merges."""
    [event] = await live.take([Sent("perdiem.identifiers", b"{", LINKS, partition=0)])
    item = (await dead_letters(live.settings, every))[event]
    assert (item.state, item.reason, item.topic) == (
        State.OPEN,
        Reason.RULE_FAILED,
        live.topics.identifiers.name,
    )
    [merge] = await live.take([a_command("merge", "i1", losing="LAKE|71", surviving="LAKE|72")])
    assert await only(live, merge) == (Outcome.APPLIED, None)
    value = encode_link(Merge(event_id="e", id="i2", time=1, losing="LAKE|73", surviving="LAKE|72"))
    [redrive] = await live.take([a_command("redrive", "i3", item=event, value=_base64(value))])
    assert await only(live, redrive) == (Outcome.APPLIED, None)
    assert await became(live, "e") == [(1, Outcome.APPLIED, "e")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (b"{", "message"),
        (b"", "message"),
        (a_command("relaese", "w1", item="x").value, "command"),
        (a_command("release", "w2").value, "item"),
        (a_command("release", "w3", item="x", fill={"mrn4711": "4711"}).value, "fill"),
        (a_command("forget", "w4", patient="NOBODY|4711", before="2020-01-01").value, "patient"),
        (a_command("forget", "w5", patient="LAKE|4711", before="4711").value, "before"),
        (a_command("discard", "w6", item="x", mrn4711="4711").value, "message"),
    ],
)
async def test_a_command_that_cannot_be_used_is_a_dead_letter(live: Live, wrong: bytes, field: str) -> None:
    """The field is named, and nothing of what was sent is repeated."""
    [event] = await live.take([Sent(COMMANDS, wrong, b"k")])
    [decision] = (await live.decisions())[event]
    assert (decision.outcome, decision.field) == (Outcome.DEAD_LETTERED, field)
    letter = (await live.aside(live.topics.dead_letters.name))[event]
    assert letter.value == wrong
    own = [value for name, value in letter.headers if value and name != "perdiem-original-key"]
    assert not [value for value in own if b"4711" in value]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            {"command": "allow_unit", "stream": "facility"},
            {"kind": Override, "name": "own", "stands": True},
        ),
        (
            {"command": "take_back_unit", "stream": "facility", "allowed_by": "other"},
            {"kind": Override, "name": "other", "stands": False},
        ),
        (
            {"command": "opening_balance", "stream": "professional"},
            {"kind": Opening, "name": "own", "stands": True},
        ),
    ],
)
async def test_a_command_on_units_goes_to_the_ledger_of_its_patient(
    live: Live, command: dict[str, str], expected: dict[str, Any]
) -> None:
    """Under the patient's one spelling, whatever spelling the command has."""
    more = {"patient": "LAKE|00004712", "service": "collection", "service_date": "2025-03-10"}
    name = f"unit-{command['command']}"
    [event] = await live.take([a_command(name=name, **(more | command))])
    [entry] = await entries(live, event)
    assert isinstance(entry, expected["kind"])
    assert entry.patient == "LAKE|4712"
    assert (entry.command, entry.stands) == (name, expected["stands"])
    assert entry.name == (name if expected["name"] == "own" else "other")


async def test_what_is_to_be_forgotten_goes_to_the_ledger(live: Live) -> None:
    """With its date."""
    [event] = await live.take([a_command("forget", "f1", patient="LAKE|0088", before="2020-01-01")])
    [entry] = await entries(live, event)
    assert isinstance(entry, Expiry)
    assert (entry.patient, entry.before.isoformat()) == ("LAKE|88", "2020-01-01")


async def test_a_restated_statement_goes_to_the_ledger(live: Live) -> None:
    """Under its own event id, because of the command, with the time at which a person said so."""
    [event] = await live.take([said("S1")])
    [whole] = await entries(live, event)
    statement = json.loads(_entry(whole, event))
    [restate] = await live.take([a_command("restate", "s1", statement=statement)])
    [restated] = await entries(live, restate)
    assert (restated.event_id, restated.because) == (event, restate)
    assert restated.restated == 1741680000000


async def test_an_acknowledgement_goes_to_the_ledger(live: Live) -> None:
    """By the patient of the charge; a refusal without a reason is a dead letter."""
    ack = {"charge_id": "c-1", "patient": "LAKE|0031", "status": "on_claim", "ours": "ignored"}
    refused = {"charge_id": "c-1", "patient": "LAKE|31", "status": "refused"}
    right, wrong = await live.take([Sent(ACKS, json.dumps(each).encode()) for each in (ack, refused)])
    assert await entries(live, right) == [
        Acknowledgement(patient="LAKE|31", event_id=right, charge_id="c-1", status=Acknowledged.ON_CLAIM)
    ]
    [decision] = (await live.decisions())[wrong]
    assert (decision.outcome, decision.field) == (Outcome.DEAD_LETTERED, "reason")


@pytest.mark.parametrize(("command", "apply"), [("release", True), ("reject", False)])
async def test_a_ruling_on_a_held_correction_goes_to_the_ledger(
    live: Live, command: str, apply: bool
) -> None:
    """What another agent puts on the worklist waits there; a person's word goes to the patient's ledger."""
    name = f"correction-{command}"
    await put(live, Item(id=name, kind=Kind.CORRECTION, patient="LAKE|5", detail="a correction"))
    [event] = await live.take([a_command(command, f"c-{command}", item=name)])
    ruling = Ruling(patient="LAKE|5", event_id=event, item=name, apply=apply, decided=1)
    assert await entries(live, event) == [ruling]
    assert await only(live, event) == (Outcome.APPLIED, None)


async def test_what_needs_nobody_any_more_is_closed_by_its_ledger(live: Live) -> None:
    """It is open no longer, and who rules on it is refused and told why: nothing goes to the ledger."""
    waits = Item(id="correction-s", kind=Kind.CORRECTION, patient="LAKE|5", detail="a correction")
    for item in (waits, replace(waits, state=State.SUPERSEDED, reason=Reason.PATIENT_MERGED), waits):
        await put(live, item)
    [event] = await live.take([a_command("release", "s1", item=waits.id)])
    assert await only(live, event) == (Outcome.REFUSED, Reason.SUPERSEDED)
    assert await entries(live, event) == []
    item = (await held(live.settings, every))[waits.id]
    assert (item.state, item.reason) == (State.SUPERSEDED, Reason.PATIENT_MERGED)


async def test_an_alert_is_closed_and_not_released(live: Live) -> None:
    """There is nothing to take in; closed twice is refused. Listed again it stays closed."""
    alert = Item(id="alert-1", kind=Kind.ALERT, detail="one procedure under two patients")
    await put(live, alert)
    commands = [("release", "a1"), ("reject", "a2"), ("reject", "a3")]
    given = [a_command(command, name, item=alert.id) for command, name in commands]
    became = [await only(live, event) for event in await live.take(given)]
    assert became == [
        (Outcome.REFUSED, Reason.STILL_HELD),
        (Outcome.APPLIED, None),
        (Outcome.REFUSED, Reason.ALREADY_DONE),
    ]
    await put(live, alert)
    item = (await held(live.settings, every))[alert.id]
    assert (item.state, item.since > 0) == (State.REJECTED, True)


async def put(live: Live, item: Item) -> None:
    """As the ledger and identity put items on the worklist."""
    key = item.id.encode()
    partition = partition_of(key, live.settings.partitions)
    await live.take([Sent(HELD, encode_item(item), key, [(TYPE, ITEM)], partition)])


async def test_a_command_on_nothing_is_refused(live: Live) -> None:
    """It names no item; a dead letter is none of what is held."""
    [event] = await live.take([b"{"])
    for name, item in (("n1", "nothing"), ("n2", event)):
        [command] = await live.take([a_command("release", name, item=item)])
        assert await only(live, command) == (Outcome.REFUSED, Reason.UNKNOWN_ITEM)


async def test_why_tells_what_a_command_brought_about(live: Live) -> None:
    """Who decided and why, what came of the command, and what of the events it is about."""
    [event] = await live.take([said("Y1", code=None, charge_code="0815")])
    [reject] = await live.take([a_command("reject", "y1", item=event)])
    told = await of_event(live.settings, reject)
    assert isinstance(told.order, Reject)
    assert told.order.user == "ada"
    assert told.now.outcome is Outcome.APPLIED
    assert [(each.event_id, each.outcome) for each in told.brought_about] == [(event, Outcome.REJECTED)]


async def test_a_source_cannot_pass_a_record_off_as_a_command(live: Live) -> None:
    """Its own headers are kept, and mean nothing to the worklist."""
    value = nobodys("X1")
    [event] = await live.take([Sent("lab.procedures", value, b"k", [(TYPE, COMMAND)])])
    item = (await held(live.settings, every, whole=True))[event]
    assert (item.value, item.key, item.headers) == (value, b"k", ((TYPE, COMMAND),))


async def test_offsets_reset_change_nothing(live: Live) -> None:
    """Everything that holds ever read is read again: commands are answered as before, all else is as it was.

    The last test: it stops the worker.
    """
    before = (
        await held(live.settings, every, whole=True),
        await dead_letters(live.settings, every, whole=True),
    )
    assert before[0]
    assert before[1]
    written = await live.billing_events()
    told = await live.decisions()
    sent = len(await read_all(live.settings, live.topics.procedures.name))
    group = Group(live.settings)
    live.worker.process.stop()
    for topic in (live.settings.topic_held, live.settings.topic_dead_letters):
        await group.commit(dict.fromkeys(await group.committed(topic), 0))
    live.worker.start()
    live.worker.wait_ready()
    await live.processed()
    assert (
        await held(live.settings, every, whole=True),
        await dead_letters(live.settings, every, whole=True),
    ) == before
    assert await live.billing_events() == written
    assert len(await read_all(live.settings, live.topics.procedures.name)) == sent
    after = await live.decisions()
    assert after.keys() == told.keys()
    more = 0
    for event, decisions in after.items():
        again = decisions[len(told[event]) :]
        more += len(again)
        assert all(decision in told[event] for decision in again)
    assert more


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _entry(whole: ProcedureEvent, event_id: str) -> bytes:
    return encode_entry(replace(whole, event_id=event_id))
