"""What a command does to an item of the worklist: once, whatever is sent or delivered again."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.commands import Command, Discard, Redrive, Reject, Release
from models.entries import Ruling
from models.hearing import Hearing, Taken, hear
from models.messages import Unreadable
from models.procedures import ProcedureEvent, Status, VersionKind
from models.putting import Aside, enter, put
from models.worklist import Item, Kind, State, decode_item, encode_item, pack_item, unpack_item

EVENT, COMMAND, OTHER = "lab.procedures:0:7:0", "perdiem.commands:0:1:0", "perdiem.commands:0:2:0"
SIGNED: dict[str, Any] = {"user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
HELD = Decision(
    event_id=EVENT,
    sequence=1,
    cause=EVENT,
    outcome=Outcome.HELD,
    reason=Reason.UNKNOWN_AUTHORITY,
    field="patient.assigning_authority",
    detail="an authority",
    source="lab",
    received=17,
)
DEAD = replace(HELD, outcome=Outcome.DEAD_LETTERED, reason=Reason.UNREADABLE, field="status")
STATEMENT = ProcedureEvent(
    event_id=EVENT,
    received=17,
    source="lab",
    procedure_id="P",
    patient="UH|1",
    stated_patient="UH|1",
    version_kind=VersionKind.NUMBER,
    version="1",
    status=Status.PERFORMED,
    digest="",
    settings="",
)


def aside(decision: Decision, offset: int = 7, topic: str = "lab.procedures", **more: Any) -> Aside:
    return Aside(decision, 99, topic, 0, offset, b"key", b"\xff{", (("trace", None),), **more)


def held(decision: Decision = HELD) -> Item:
    return put(None, aside(decision))


def release(name: str = "c1", **more: Any) -> Release:
    return Release(id=name, item=EVENT, **SIGNED, **more)


def redrive(name: str = "c1") -> Redrive:
    return Redrive(id=name, item=EVENT, **SIGNED)


def reject(name: str = "c1") -> Reject:
    return Reject(id=name, item=EVENT, **SIGNED)


def becomes(*taken: Taken) -> Any:
    def take_in(_item: Item, _command: Release | Redrive) -> Sequence[Taken]:
        return taken

    return take_in


def never(_item: Item, _command: Release | Redrive) -> Sequence[Taken]:
    raise AssertionError("nothing is to be taken in")


def unreadable(_item: Item, _command: Release | Redrive) -> Sequence[Taken]:
    raise Unreadable("code", "a code")


def changed(hearing: Hearing) -> Item:
    assert hearing.item is not None
    return hearing.item


def said(decision: Decision) -> tuple[int, Outcome, Reason | None, str]:
    return (decision.sequence, decision.outcome, decision.reason, decision.cause)


def test_an_item_keeps_the_record_and_why() -> None:
    """Whole, through the state's encoding, whatever bytes it has."""
    item = unpack_item(pack_item(held()))
    assert decode_item(encode_item(item)) == item
    assert (item.key, item.value, item.headers) == (b"key", b"\xff{", (("trace", None),))
    assert (item.kind, item.field, item.since, item.received) == (Kind.HELD, HELD.field, 99, 17)
    assert item.decision == HELD


def test_what_is_released_follows_on_what_was_decided() -> None:
    """The statement says how many decisions there are, and which command brings it."""
    hearing = hear(held(), release(), COMMAND, becomes(STATEMENT))
    assert hearing.taken == (replace(STATEMENT, decided=1, because=COMMAND),)
    assert said(hearing.decision) == (1, Outcome.APPLIED, None, COMMAND)
    assert hearing.decision.event_id == COMMAND
    assert changed(hearing).state is State.RELEASED


def test_what_is_still_held_stays_open_with_what_is_missing_now() -> None:
    """The next decision says so, and the command is refused."""
    now = replace(HELD, reason=Reason.NO_STREAM, field="stream", detail="facility or professional")
    hearing = hear(held(), release(), COMMAND, becomes(now))
    assert hearing.taken == (replace(now, sequence=2, cause=COMMAND),)
    assert said(hearing.decision) == (1, Outcome.REFUSED, Reason.STILL_HELD, COMMAND)
    item = changed(hearing)
    assert (item.state, item.reason, item.field) == (State.OPEN, Reason.NO_STREAM, "stream")
    after = hear(item, release("c2"), OTHER, becomes(STATEMENT))
    assert after.taken == (replace(STATEMENT, decided=2, because=OTHER),)


def test_what_turns_out_not_to_be_ours_is_no_longer_held() -> None:
    """The decision follows on the first."""
    now = replace(HELD, outcome=Outcome.NOT_OURS, reason=Reason.TEST_MESSAGE)
    hearing = hear(held(), release(), COMMAND, becomes(now))
    assert hearing.taken == (replace(now, sequence=2, cause=COMMAND),)
    assert hearing.decision.outcome is Outcome.APPLIED
    assert changed(hearing).state is State.RELEASED


def test_what_is_held_and_cannot_be_read_today_stays_held() -> None:
    """A reader that has changed, say: the field is named."""
    hearing = hear(held(), release(), COMMAND, unreadable)
    [decision] = hearing.taken
    assert isinstance(decision, Decision)
    assert said(decision) == (2, Outcome.HELD, Reason.UNREADABLE, COMMAND)
    assert (decision.field, changed(hearing).state) == ("code", State.OPEN)


@pytest.mark.parametrize(
    ("item", "command", "state"),
    [
        (held(), reject(), State.REJECTED),
        (held(DEAD), Discard(id="c1", item=EVENT, **SIGNED), State.DISCARDED),
    ],
)
def test_what_is_turned_down_says_so(item: Item, command: Command, state: State) -> None:
    """The event's next decision, because of the command; what was missing is no longer said."""
    hearing = hear(item, command, COMMAND, never)
    [decision] = hearing.taken
    assert isinstance(decision, Decision)
    assert said(decision) == (2, Outcome.REJECTED, Reason.REJECTED_BY_PERSON, COMMAND)
    assert (decision.field, decision.detail, decision.source) == (None, None, "lab")
    assert changed(hearing).state is state


def test_what_is_redriven_follows_on_what_was_decided_of_its_own_event_alone() -> None:
    """A record may hold several messages: nothing was decided yet of the others."""
    second = replace(STATEMENT, event_id="lab.procedures:0:7:1")
    hearing = hear(held(DEAD), redrive(), COMMAND, becomes(STATEMENT, second))
    assert hearing.taken == (
        replace(STATEMENT, decided=1, because=COMMAND),
        replace(second, decided=0, because=COMMAND),
    )
    assert (changed(hearing).state, changed(hearing).redriven) == (State.REDRIVEN, 1)


def test_what_fails_again_at_once_stays_and_is_counted() -> None:
    """With the next decision, which names what is wrong now."""
    hearing = hear(held(DEAD), redrive(), COMMAND, unreadable)
    [decision] = hearing.taken
    assert isinstance(decision, Decision)
    assert said(decision) == (2, Outcome.DEAD_LETTERED, Reason.UNREADABLE, COMMAND)
    item = changed(hearing)
    assert (item.state, item.redriven, item.field) == (State.OPEN, 1, "code")
    assert said(hearing.decision) == (1, Outcome.REFUSED, Reason.STILL_HELD, COMMAND)


@pytest.mark.parametrize("kind", [Kind.CORRECTION, Kind.CLAIMED])
@pytest.mark.parametrize(("command", "apply"), [(release(), True), (reject(), False)])
def test_a_word_on_what_the_ledger_parked_goes_to_it(kind: Kind, command: Command, apply: bool) -> None:
    """The ledger decides what follows, and goes on in number; the worklist is done with it."""
    item = Item(id=EVENT, kind=kind, patient="UH|1")
    hearing = hear(item, command, COMMAND, never, decided=2)
    assert hearing.taken == (
        Ruling(patient="UH|1", event_id=COMMAND, item=EVENT, apply=apply, decided=hearing.decision.sequence),
    )
    assert changed(hearing).state is (State.RELEASED if apply else State.REJECTED)


PARKED = Item(id=EVENT, kind=Kind.CORRECTION, since=7, patient="UH|1")
SUPERSEDED = replace(PARKED, since=0, state=State.SUPERSEDED, reason=Reason.NO_LONGER_KEPT)


def test_what_an_agent_lists_is_listed_once() -> None:
    """Delivered again it changes nothing, whether a person decided it meanwhile or not."""
    assert enter(None, PARKED) is PARKED
    for known in (PARKED, replace(PARKED, state=State.REJECTED)):
        assert enter(known, replace(PARKED, since=9)) is known


def test_what_its_ledger_superseded_is_open_no_longer() -> None:
    """It says why; what is delivered again does not open it."""
    now = enter(PARKED, SUPERSEDED)
    assert (now.state, now.reason, now.since) == (State.SUPERSEDED, Reason.NO_LONGER_KEPT, 7)
    assert enter(now, SUPERSEDED) is now
    assert enter(now, PARKED) is now


def test_what_a_person_decided_is_not_superseded() -> None:
    """The person was first, and the list says so."""
    decided = replace(PARKED, state=State.RELEASED)
    assert enter(decided, SUPERSEDED) is decided


@pytest.mark.parametrize("state", [State.SUPERSEDED, State.RELEASED])
def test_what_waits_at_another_patient_is_open_again(state: State) -> None:
    """It went there with its procedure, and would credit a charge there; commands heard before stay known."""
    heard = changed(hear(PARKED, release(), COMMAND, never)).heard
    known = replace(PARKED, state=state, heard=heard)
    there = replace(PARKED, patient="UH|2", since=9)
    now = enter(known, there)
    assert now == replace(there, heard=heard)
    assert enter(now, replace(SUPERSEDED, patient="UH|1")) is now


@pytest.mark.parametrize("command", [release(), reject()])
def test_a_ruling_on_what_was_superseded_is_refused(command: Command) -> None:
    """It says so, nothing goes to the ledger, and the item stays closed."""
    hearing = hear(enter(PARKED, SUPERSEDED), command, COMMAND, never)
    assert said(hearing.decision) == (1, Outcome.REFUSED, Reason.SUPERSEDED, COMMAND)
    assert hearing.taken == ()
    assert changed(hearing).state is State.SUPERSEDED


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.REFUSED_CHARGE])
def test_what_holds_nothing_is_closed_and_not_released(kind: Kind) -> None:
    """There is nothing to take in."""
    item = Item(id=EVENT, kind=kind)
    refused = hear(item, release(), COMMAND, never)
    assert said(refused.decision) == (1, Outcome.REFUSED, Reason.STILL_HELD, COMMAND)
    assert changed(refused).state is State.OPEN
    closed = hear(item, reject(), COMMAND, never)
    assert (closed.taken, changed(closed).state) == ((), State.REJECTED)


@pytest.mark.parametrize(
    "before",
    [
        hear(held(), release(), COMMAND, becomes(STATEMENT)),
        hear(held(), release(), COMMAND, becomes(HELD)),
        hear(held(), reject(), COMMAND, never),
    ],
    ids=["applied", "refused", "rejected"],
)
def test_a_command_delivered_again_gives_the_same_decision_and_nothing_else(before: Hearing) -> None:
    """Offsets were reset, say. The same id in another record is told to be a repeat of the first."""
    again = hear(before.item, release(), COMMAND, never)
    assert again == Hearing(before.decision)
    repeat = hear(before.item, release(), OTHER, never)
    assert (repeat.item, repeat.taken) == (None, ())
    assert said(repeat.decision) == (1, Outcome.REPEATED, None, OTHER)
    assert repeat.decision.of == COMMAND


@pytest.mark.parametrize("command", [release("c2"), reject("c2")])
def test_a_second_command_on_what_is_decided_is_refused(command: Command) -> None:
    """It names the first, and stays refused when it is delivered again."""
    decided = changed(hear(held(), release(), COMMAND, becomes(STATEMENT)))
    hearing = hear(decided, command, OTHER, never)
    assert said(hearing.decision) == (1, Outcome.REFUSED, Reason.ALREADY_DONE, OTHER)
    assert hearing.decision.of == COMMAND
    assert changed(hearing).state is State.RELEASED
    assert hear(hearing.item, command, OTHER, never) == Hearing(hearing.decision)


@pytest.mark.parametrize("item", [None, held(DEAD)])
def test_a_command_on_nothing_is_refused_for_good(item: Item | None) -> None:
    """Even if the item comes later, and the command is delivered again then: its answer stays."""
    hearing = hear(item, release(), COMMAND, never)
    assert said(hearing.decision) == (1, Outcome.REFUSED, Reason.UNKNOWN_ITEM, COMMAND)
    assert hearing.item is None
    assert hear(held(), release(), COMMAND, never, before=hearing.heard) == Hearing(hearing.decision)


def test_a_command_that_was_a_dead_letter_itself_is_decided_on_after_that() -> None:
    """Its sequence goes on."""
    hearing = hear(held(), reject(), COMMAND, never, decided=1)
    assert said(hearing.decision) == (2, Outcome.APPLIED, None, COMMAND)
    assert hear(hearing.item, reject(), COMMAND, never, decided=1) == Hearing(hearing.decision)


@pytest.mark.parametrize(
    "item", [held(), changed(hear(held(), reject(), COMMAND, never))], ids=["open", "rejected"]
)
def test_what_is_there_is_not_put_again(item: Item) -> None:
    """Delivered again it changes nothing, whatever was decided meanwhile."""
    assert put(item, aside(HELD)) is item


def test_a_number_that_the_ledger_used_is_not_used_again() -> None:
    """The record was delivered again, and its event decided once more: only the next number changes."""
    later = replace(HELD, sequence=2, repeated=True)
    item = put(held(), aside(later))
    assert item == replace(held(), decision=replace(HELD, sequence=2))


FAILED = replace(DEAD, reason=Reason.RULE_FAILED, field=None, sequence=2)


def test_what_was_redriven_and_failed_again_is_open_again() -> None:
    """It remembers the commands that it heard, how often it was tried, and since when it is there."""
    before = changed(hear(held(DEAD), redrive(), COMMAND, becomes(STATEMENT)))
    item = put(before, after_redrive(FAILED, "perdiem.procedures", 3))
    assert (item.state, item.reason, item.topic) == (State.OPEN, Reason.RULE_FAILED, "perdiem.procedures")
    assert (item.redriven, item.heard) == (1, before.heard)
    again = changed(hear(item, redrive("c2"), OTHER, becomes(STATEMENT)))
    assert put(again, after_redrive(FAILED, "perdiem.procedures", 3)) is again
    third = put(again, after_redrive(replace(FAILED, sequence=3), "perdiem.procedures", 4))
    assert (third.state, third.redriven, third.offset) == (State.OPEN, 2, 4)
    assert put(third, aside(DEAD)) is third
    elsewhere = put(third, after_redrive(replace(FAILED, sequence=4), "perdiem.identifiers", 1))
    assert (elsewhere.state, elsewhere.topic) == (State.OPEN, "perdiem.identifiers")
    assert put(elsewhere, after_redrive(FAILED, "perdiem.procedures", 3)) is elsewhere


def test_what_was_discarded_is_not_open_again_when_its_source_is_read_again() -> None:
    """The ledger failed on it once more, further on in the log: but no redrive had sent it there."""
    first = aside(FAILED, 3, "perdiem.procedures")
    discarded = changed(hear(put(None, first), Discard(id="c", item=EVENT, **SIGNED), COMMAND, never))
    again = put(discarded, aside(replace(FAILED, sequence=4, repeated=True), 9, "perdiem.procedures"))
    assert again.state is State.DISCARDED


def after_redrive(decision: Decision, topic: str, offset: int) -> Aside:
    """Put aside after a redrive."""
    return aside(decision, offset, topic, redriven=True)


def test_what_other_ledgers_wait_for_cannot_be_discarded() -> None:
    """A handover that a ledger failed on comes of no source: discarded, it would be lost on its way."""
    failed = Decision(
        event_id="perdiem.procedures:0:7:0",
        sequence=1,
        cause="perdiem.procedures:0:7:0",
        outcome=Outcome.DEAD_LETTERED,
        reason=Reason.RULE_FAILED,
    )
    item = put(None, aside(failed, 7, "perdiem.procedures"))
    hearing = hear(item, Discard(id="c", item=item.id, **SIGNED), COMMAND, never)
    assert (hearing.decision.outcome, hearing.decision.reason) == (Outcome.REFUSED, Reason.AWAITED)
    assert changed(hearing).state is State.OPEN
