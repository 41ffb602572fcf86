"""Ids of events sort as the events lie in the logs."""

import pytest

from models.procedures import place


def test_events_sort_by_their_place_in_the_log() -> None:
    """The second before the tenth, whatever the digits."""
    ids = ["lab:0:10:0", "infusion:1:3:0", "lab:0:2:1", "lab:0:2:0"]
    assert sorted(ids, key=place) == ["infusion:1:3:0", "lab:0:2:0", "lab:0:2:1", "lab:0:10:0"]


def test_what_is_no_id_has_no_place() -> None:
    """It raises, and is not sorted somewhere."""
    with pytest.raises(ValueError, match=r"unpack|int"):
        place("nonsense")
