"""What connects patients, told from one record each."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from models.billing import Decision, Outcome, encode_decision
from models.entries import AnyEntry, Expiry, Handover, Recall, Ruling, Survivor, encode_entry
from models.statements import Procedure
from models.worklist import Item, Kind
from streams import ties
from tests.models.said import PATIENT, said

KEY, OTHER = PATIENT.encode(), "UH|0000002"
COMMAND = "perdiem.commands:0:1:0"


def tied(entry: AnyEntry | Decision) -> set[tuple[bytes, str]]:
    return {tuple(tie) for tie in ties.of_entry(KEY, encode_entry(entry))}  # type: ignore[misc]


def test_a_procedure_is_tied_by_its_id_where_ids_are_unique() -> None:
    """Under whatever patient it was stated."""
    assert tied(said("A")) == {(KEY, "procedure:lab|A")}
    assert tied(said("A", unique=False)) == set()


def test_what_a_person_brought_in_is_tied_to_the_command() -> None:
    """And to what was decided of the event before it was released."""
    event = replace(said("A"), because=COMMAND)
    assert tied(event) == {
        (KEY, "procedure:lab|A"),
        (KEY, f"event:{COMMAND}"),
        (KEY, f"event:{event.event_id}"),
    }
    expiry = Expiry(patient=PATIENT, event_id=COMMAND, before=date(2020, 1, 1))
    assert tied(expiry) == {(KEY, f"event:{COMMAND}")}
    ruling = Ruling(patient=PATIENT, event_id=COMMAND, item="i", apply=True)
    assert tied(ruling) == {(KEY, f"event:{COMMAND}"), (KEY, "item:i")}


@pytest.mark.parametrize(
    "entry",
    [
        Survivor(patient=PATIENT, event_id=COMMAND, survivor=OTHER, at=1),
        Recall(patient=PATIENT, event_id=COMMAND, name=f"lab|A|{OTHER}", hands=1),
        Handover(patient=PATIENT, event_id=COMMAND, name=f"lab|A|{OTHER}", procedure=Procedure([said("A")])),
    ],
)
def test_a_merge_a_recall_and_a_handover_tie_two_patients(entry: AnyEntry) -> None:
    """That of the record, and that which it names."""
    assert {group for group, _ in tied(entry)} == {KEY, OTHER.encode()}
    assert len({name for _, name in tied(entry)}) == 1


def test_an_undone_merge_ties_nothing() -> None:
    """The patient is its own again."""
    assert tied(Survivor(patient=PATIENT, event_id=COMMAND, survivor=None, at=2)) == set()


@pytest.mark.parametrize(
    ("changes", "is_tied"),
    [
        ({}, False),
        ({"outcome": Outcome.HELD}, True),
        ({"outcome": Outcome.DEAD_LETTERED}, True),
        ({"outcome": Outcome.REJECTED}, True),
        ({"outcome": Outcome.NOT_OURS}, False),
        ({"outcome": Outcome.NOT_OURS, "sequence": 2}, True),
        ({"event_id": COMMAND}, True),
    ],
)
def test_a_decision_is_tied_where_its_event_may_be_told_of_elsewhere(
    changes: dict[str, Any], is_tied: bool
) -> None:
    """After it was set aside, and of every command; not of a million ordinary ones."""
    made = Decision(event_id="lab.procedures:0:1:0", sequence=1, cause="c", outcome=Outcome.REPORTED)
    made = replace(made, **changes)
    found = [*ties.of_decision(KEY, encode_decision(made), "perdiem.commands")]
    assert found == ([(KEY, f"event:{made.event_id}")] if is_tied else [])


def test_an_item_belongs_to_its_patient() -> None:
    """Without one it is alone until somebody names it."""
    item = Item(id="i", kind=Kind.ALERT, patient=PATIENT)
    assert ties.of_item(item) == (KEY, [(KEY, "item:i")])
    assert ties.of_item(replace(item, patient=None)) == (b"i", [(b"i", "item:i")])
