"""Commands as the audit reads them: with patients as the facilities file spells them, and tied to others."""

import json
from typing import Any

from models.facilities_file import parse
from streams.spoken import normalised, spoken, ties

FACILITIES = parse(
    """
    [[authorities]]
    id = "UH"
    aliases = ["UH^2.16^ISO"]
    strip_leading_zeros = true

    [[facilities]]
    id = "north"
    time_zone = "America/New_York"
    """
)
SAID = {"id": "c1", "user": "ana", "time": "2025-03-10T12:00:00Z", "reason": "told so"}
MERGE = {"command": "merge", "losing": "UH^2.16^ISO|007", "surviving": "UH|8"}
EVENT = "perdiem.commands:0:1:0"


def value(**said: Any) -> bytes:
    return json.dumps(SAID | said).encode()


def test_a_patient_is_spelt_as_the_facilities_file_says() -> None:
    """Aliases and leading zeros are settled; an unknown authority or an empty number is nobody."""
    assert normalised("UH^2.16^ISO|007", FACILITIES) == "UH|7"
    for nobody in ("XX|7", "UH|", "UH|000", "UH", "UH|7|8"):
        assert normalised(nobody, FACILITIES) is None


def test_a_command_names_normal_patients() -> None:
    """Both of a merge."""
    said = spoken(EVENT, value(**MERGE), FACILITIES)
    assert said.command is not None
    assert said.command.model_dump(include={"losing", "surviving"}) == {"losing": "UH|7", "surviving": "UH|8"}


def test_what_cannot_be_read_or_names_nobody_is_no_command() -> None:
    """A dead letter is right for it."""
    for bad in (None, b"", b"{}", b"\xff", value(command="forget", patient="XX|1", before="2020-01-01")):
        assert spoken(EVENT, bad, FACILITIES).command is None


def test_without_a_facilities_file_patients_are_as_stated() -> None:
    """And nobody can say whether they are known."""
    said = spoken(EVENT, value(**MERGE), None)
    assert said.command is not None
    assert said.normal is False
    assert spoken(EVENT, value(command="reject", item="i"), None).normal


def named(*records: bytes) -> list[set[str]]:
    return [{tie.name for tie in ties(spoken(EVENT, record, FACILITIES))[1]} for record in records]


def test_a_merge_ties_its_patients_and_an_undo_to_its_merge() -> None:
    """Whichever patients the undo names."""
    group, tied = ties(spoken(EVENT, value(**MERGE), FACILITIES))
    assert (group, {tie.group for tie in tied}) == (b"UH|7", {b"UH|7", b"UH|8"})
    event = {tie.group for tie in tied if tie.name == f"event:{EVENT}"}
    assert event == {b"UH|7", b"UH|8"}
    undo = value(command="undo_merge", merge="m1", losing="UH|1", surviving="UH|2")
    assert named(undo) == [{f"event:{EVENT}", "command:c1", "command:m1"}]


def test_a_command_on_the_worklist_is_tied_to_what_it_names() -> None:
    """To the event that was held, and to the item."""
    for kind in ("release", "reject", "redrive", "discard"):
        [names] = named(value(command=kind, item="lab.procedures:0:1:0"))
        assert {"event:lab.procedures:0:1:0", "item:lab.procedures:0:1:0"} <= names
