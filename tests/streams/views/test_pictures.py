"""A picture shows what its figures say: nothing is left out, nothing is larger than it is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from models.reconciliation import OUTCOMES
from streams.views.pictures import HEIGHT, columns, curve, flow, grouped

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
