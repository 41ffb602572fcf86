"""Filters of the worklist: what is asked for, all of it must fit."""

from typing import Any

import pytest

from models.billing import Reason
from models.selection import Selection
from models.worklist import Item, Kind, State

ITEM = Item(
    id="lab.procedures:0:7:0",
    kind=Kind.HELD,
    since=100,
    reason=Reason.NO_MRN,
    facility="lakeside",
    source="lakeside-lab",
    topic="lab.procedures",
)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"kind": Kind.HELD, "state": State.OPEN, "reason": "no_mrn", "facility": "lakeside"}, True),
        ({"source": "lakeside-lab"}, True),
        ({"source": "lab.procedures"}, True),
        ({"since": 100, "until": 101}, True),
        ({"since": 101}, False),
        ({"until": 100}, False),
        ({"kind": Kind.HELD, "state": State.REJECTED}, False),
        ({"kind": Kind.ALERT}, False),
        ({"reason": "no_stream"}, False),
        ({"facility": "lake"}, False),
        ({"source": "infusion.procedures"}, False),
    ],
)
def test_an_item_is_asked_for_if_all_fits(asked: dict[str, Any], fits: bool) -> None:
    """A source may be named by its topic; of times the first counts and the last does not."""
    assert Selection(**asked).fits(ITEM) is fits
