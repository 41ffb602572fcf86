"""What waits is listed, the oldest first, and shows no patient unless asked for."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.billing import Decision, Outcome, Reason
from models.worklist import Item, Kind, State
from streams.cli.listing import age
from streams.holds import WORKLIST
from streams.once import OnceApp
from streams.worklist import ITEMS
from tests.streams.cli.deciding import EVENT, LETTER, Desk
from tests.streams.once.fakes import an_app

NOW = int(time.time() * 1000)
HOUR = 3_600_000
BYTES = b"\xff4711"
SURE = ("--reason", "seen", "--yes")
HELD = Item(
    id=EVENT,
    kind=Kind.HELD,
    since=NOW - 3 * HOUR,
    reason=Reason.NO_STREAM,
    field="stream",
    detail="facility or professional",
    decision=Decision(event_id=EVENT, sequence=1, cause=EVENT, outcome=Outcome.HELD),
    patient="UH|4711",
    facility="lakeside",
    topic="lab.procedures",
    partition=0,
    offset=7,
    value=b'{"mrn":"4711"}',
)
CORRECTION = Item(id="correction-1", kind=Kind.CORRECTION, since=NOW - HOUR, patient="UH|4711")
DONE = Item(id="lab.procedures:0:1:0", kind=Kind.HELD, since=1, state=State.REJECTED)
ALERT = Item(id="alert-1", kind=Kind.ALERT, since=2, detail="one product under two patients")


def letter(offset: int, day: int, reason: Reason, source: str | None, topic: str = "lab.procedures") -> Item:
    since = int(datetime(2025, 3, day, tzinfo=UTC).timestamp() * 1000)
    name = f"{topic}:0:{offset}:0"
    return Item(
        id=name,
        kind=Kind.DEAD_LETTER,
        since=since,
        reason=reason,
        source=source,
        topic=topic,
        value=BYTES,
    )


LETTERS = [
    letter(8, 9, Reason.UNREADABLE, None),
    letter(9, 10, Reason.UNREADABLE, "lakeside-lab"),
    letter(10, 11, Reason.RULE_FAILED, "lakeside-lab", "perdiem.procedures"),
]


@pytest.fixture(autouse=True)
def waiting(desk: Desk) -> None:
    desk.items = [DONE, ALERT, HELD, CORRECTION]
    desk.letters = [*LETTERS]


def ids(output: str) -> list[str]:
    return [item["id"] for item in json.loads(output)]


def test_what_is_held_is_listed_with_age_and_what_would_release_it(desk: Desk) -> None:
    """Open ones, without alerts; the patient is masked unless asked for."""
    lines = [line.rstrip() for line in desk.run("holds", "list").output.splitlines()[1:]]
    assert [line.split()[0] for line in lines] == [EVENT, "correction-1"]
    assert "3 h" in lines[0]
    assert lines[0].endswith("stream: expected facility or professional")
    assert "UH|***" in lines[0]
    assert lines[1].endswith("Release applies the correction, reject leaves the charge as it is.")
    assert "4711" not in "".join(lines)
    assert "UH|4711" in desk.run("holds", "list", "--show-patients").output
    assert ids(desk.run("holds", "list", "--json", "--all").output) == [DONE.id, EVENT, CORRECTION.id]
    assert "4711" not in desk.run("holds", "list", "--json").output


def test_an_item_is_shown_whole_but_for_the_patient(desk: Desk) -> None:
    """What the source sent only with --show-patients; bytes that are no text in base64."""
    told = desk.run("holds", "show", EVENT)
    assert "4711" not in told.output
    assert "14 bytes of the source: --show-patients shows them" in told.output
    assert '{"mrn":"4711"}' in desk.run("holds", "show", EVENT, "--show-patients").output
    shown = desk.run("dead-letters", "show", LETTERS[0].id, "--show-patients").output
    assert f"base64: {base64.b64encode(BYTES).decode()}" in shown
    assert str(desk.run("holds", "show", "x").exception) == "x: nothing of this name is on the list"


def test_alerts_have_a_list_of_their_own(desk: Desk) -> None:
    """With what a person should know; closed they are gone from it."""
    assert "one product under two patients" in desk.run("alerts", "list").output
    assert desk.run("alerts", "close", ALERT.id, *SURE).exit_code == 0
    [closed] = desk.sent
    assert (closed.command, closed.item) == ("reject", ALERT.id)
    assert "detail: one product under two patients" in desk.run("alerts", "show", ALERT.id).output
    desk.items = [HELD]
    assert desk.run("alerts", "list").output == "Nothing waits.\n"


def test_a_release_says_what_is_filled_in(desk: Desk) -> None:
    """The names of the fields are shown, their values are not."""
    fill = ("--fill", "patient.mrn=4711", "--fill", "patient.assigning_authority=UH", "--fill", "version=3")
    told = desk.run("holds", "release", EVENT, *fill, *SURE)
    assert "filled in: patient.mrn, patient.assigning_authority, version" in told.output
    assert "4711" not in told.output
    [release] = desk.sent
    assert release.fill == {"patient": {"mrn": "4711", "assigning_authority": "UH"}, "version": 3}


def test_what_cannot_be_filled_in_is_told_before_anything_is_sent(desk: Desk) -> None:
    """The field, and what it takes; not the value."""
    told = desk.run("holds", "release", EVENT, "--fill", "version=4711x", *SURE)
    assert str(told.exception) == "fill.version: expected a whole number"
    assert desk.sent == []


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ((), [0, 1, 2]),
        (("--reason", "unreadable"), [0, 1]),
        (("--of-reason", "rule_failed"), [2]),
        (("--source", "lakeside-lab"), [1, 2]),
        (("--source", "lab.procedures"), [0, 1]),
        (("--since", "2025-03-10"), [1, 2]),
        (("--until", "2025-03-10"), [0]),
        (("--since", "2025-03-10T00:01", "--until", "2025-03-12"), [2]),
    ],
)
def test_dead_letters_are_filtered(desk: Desk, filters: tuple[str, ...], left: list[int]) -> None:
    """By reason, source and time; all of them must fit."""
    told = desk.run("dead-letters", "list", "--json", *filters)
    assert ids(told.output) == [LETTERS[number].id for number in left]


def test_a_reason_that_no_dead_letter_has_is_a_mistake(desk: Desk) -> None:
    """An empty list would say that all is well."""
    told = desk.run("dead-letters", "list", "--reason", "unreadble")
    assert told.exit_code == 2
    assert "'unreadable'" in told.output


def test_many_dead_letters_are_redriven_by_a_filter(desk: Desk) -> None:
    """First as a dry run, that does nothing."""
    given = ("--of-reason", "unreadable", "--reason", "the reader is mended")
    dry = desk.run("dead-letters", "redrive", *given, "--dry-run")
    assert dry.output.splitlines()[-1] == "2 dead letters; nothing was done."
    assert desk.sent == []
    assert desk.run("dead-letters", "redrive", *given, "--yes").exit_code == 0
    assert [said.item for said in desk.sent] == [LETTERS[0].id, LETTERS[1].id]
    assert {said.value for said in desk.sent} == {None}
    dry = desk.run("dead-letters", "discard", "--until", "2025-03-10", "--dry-run", "--reason", "old")
    assert dry.output.splitlines()[-1] == "1 dead letter; nothing was done."
    assert len(desk.sent) == 2


def test_all_dead_letters_are_never_meant_by_leaving_everything_out(desk: Desk) -> None:
    """An id or a filter must be given."""
    told = desk.run("dead-letters", "discard", *SURE)
    assert str(told.exception) == "ids expected, or one of --of-reason, --source, --since, --until"


def test_one_dead_letter_is_redriven_as_it_should_have_been(desk: Desk, tmp_path: Path) -> None:
    """Byte for byte what the file holds; several cannot have the same record."""
    file = tmp_path / "record"
    file.write_bytes(b"\xff{}")
    assert desk.run("dead-letters", "redrive", LETTER, "--value", str(file), *SURE).exit_code == 0
    [redrive] = desk.sent
    assert redrive.value == b"\xff{}"
    told = desk.run("dead-letters", "redrive", "--source", "lab.procedures", "--value", str(file), *SURE)
    assert str(told.exception) == "--value: one dead letter expected"


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 s"), (60, "1 min"), (7200, "2 h"), (90_000, "1 d"), (-9, "0 s")]
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, said: str) -> None:
    """Clocks that differ make no age negative."""
    assert age(int(time.time() * 1000) - seconds * 1000) == said


def test_the_list_is_read_where_the_agent_writes_it(tmp_path: Path) -> None:
    """The keys of its table begin so in the changelog."""
    app: OnceApp = an_app(tmp_path)
    assert app.once_table("worklist", WORKLIST).prefix == ITEMS
