"""What lies on the topics of the worklist is told by what it is."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord

from models.billing import encode_billing_event
from models.commands import Merge, Reject
from models.worklist import Item, Kind, encode_item
from streams.headers import COMMAND, EVENT_ID, ITEM, TYPE
from streams.tail import LINES
from tests.streams.cli.test_why import CHARGE

SIGNED: dict[str, Any] = {"id": "c", "user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}


def record(value: bytes, *headers: tuple[str, bytes]) -> Any:
    return ConsumerRecord("perdiem.held", 0, 7, 0, 0, b"k", value, None, 0, 0, headers)


@pytest.mark.parametrize("what", ["held", "dead-letters"])
def test_a_command_is_named(what: str) -> None:
    """Its own event id, what it is and whose; neither what it is about nor why, which may name a patient."""
    headers = ((TYPE, COMMAND), (EVENT_ID, b"perdiem.commands:0:1:0"))
    reject = record(Reject(item="i", **SIGNED).model_dump_json().encode(), *headers)
    assert LINES[what](reject, False) == "perdiem.commands:0:1:0 command: reject by ada"
    merge = record(Merge(losing="UH|4711", surviving="UH|1", **SIGNED).model_dump_json().encode(), *headers)
    assert "4711" not in LINES[what](merge, False)


def test_a_charge_is_named_by_its_id() -> None:
    """`perdiem why` explains it by that; without its patient."""
    line = LINES["billing"](record(encode_billing_event(CHARGE)), False)
    assert line.startswith("c charge 38225 collection of cells")
    assert "0001" not in line


def test_an_item_of_another_agent_is_named() -> None:
    """By its id and kind."""
    item = Item(id="alert-1", kind=Kind.ALERT, detail="one product under two patients", patient="UH|4711")
    line = LINES["held"](record(encode_item(item), (TYPE, ITEM)), False)
    assert line == "alert-1 alert: one product under two patients"
