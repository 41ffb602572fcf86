"""A picture shows what its figures say: nothing is left out, nothing is larger than it is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from models.reconciliation import OUTCOMES
from streams.views.pictures import HEIGHT, LANES_WIDTH, Point, columns, curve, flow, grouped, lanes

COUNTS = st.dictionaries(st.sampled_from([outcome.value for outcome in OUTCOMES]), st.integers(1, 10**6))


@given(COUNTS)
def test_every_event_is_in_one_band(outcomes: dict[str, int]) -> None:
    """The bands add up to what came in, each to its outcomes."""
    bands = flow(outcomes)
    assert sum(band.count for band in bands) == sum(outcomes.values())
    assert {outcome: n for band in bands for outcome, n in band.outcomes.items()} == outcomes


@given(COUNTS)
def test_bands_stay_in_the_picture_and_apart(outcomes: dict[str, int]) -> None:
    """Those further down begin below the one above."""
    ends = [0.0]
    for band in flow(outcomes):
        top, bottom = (float(found) for found in re.findall(r"100\.0 (-?[\d.]+) V(-?[\d.]+)", band.path)[0])
        assert ends[-1] - 0.11 <= top < bottom <= HEIGHT + 0.11
        ends.append(bottom)


def test_nothing_makes_no_picture() -> None:
    """Rather than an empty frame or a division by zero."""
    assert flow({}) == []
    assert curve([], 100).points == []
    assert [column.parts for column in columns([{}, {}], 10)] == [[], []]


def test_an_outcome_that_a_later_version_knows_is_shown() -> None:
    """While workers are replaced one by one."""
    assert grouped({"abducted": 3}) == {"uncharged": {"abducted": 3}}


@given(st.lists(COUNTS, min_size=1, max_size=20))
def test_the_tallest_column_fills_the_picture(days: list[dict[str, int]]) -> None:
    """And the others are as tall as they are in proportion."""
    totals = [sum(day.values()) for day in days]
    heights = [sum(height for _, _, height in column.parts) for column in columns(days, 100)]
    for total, height in zip(totals, heights, strict=True):
        assert abs(height - 100 * total / (max(totals) or 1)) < 1e-6


def test_a_curve_breaks_where_nothing_was_measured() -> None:
    """A line across would tell of what was not."""
    drawn = curve([1, 2, None, 3], 30)
    assert len(drawn.points) == 2
    assert drawn.most == 3
    assert drawn.last == 3


def point(lane: int, at: float, *tie: str) -> Point:
    return Point(lane=lane, at=at, group="charged", said="said", tie=tie)


def test_what_happened_when_lies_in_lanes_from_left_to_right() -> None:
    """The first at the left, the last at the right; what is tied is joined in the order of time."""
    drawn = lanes(["a", "b"], [point(1, 20, "x"), point(0, 10, "x"), point(0, 15)], {10: "ten", 20: "twenty"})
    first, middle, last = drawn.marks
    assert first.x < middle.x < last.x < LANES_WIDTH
    assert first.y == middle.y == drawn.lanes[0][1]
    assert last.y == drawn.lanes[1][1]
    assert drawn.ties == [f"{first.x},{first.y} {last.x},{last.y}"]
    assert [text for _, text in drawn.ticks] == ["ten", "twenty"]


def test_points_and_names_do_not_lie_on_each_other() -> None:
    """Of points at one time each is seen; of dates those are named for which there is room."""
    drawn = lanes(["a"], [point(0, 10), point(0, 10), point(0, 90)], {10: "ten", 11: "eleven", 90: "ninety"})
    assert len({(mark.x, mark.y) for mark in drawn.marks}) == 3
    assert [text for _, text in drawn.ticks] == ["ten", "ninety"]


def test_a_single_time_lies_in_the_picture() -> None:
    """And nothing is divided by nothing."""
    assert lanes([], [], {}).marks == []
    [mark] = lanes(["a"], [point(0, 10)], {}).marks
    assert 0 < mark.x < LANES_WIDTH
