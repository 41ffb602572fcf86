"""The shapes of a chart say what its figures say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.billing import Outcome
from models.reconciliation import OUTCOMES
from streams.views.pictures import equation

outcomes = st.dictionaries(st.sampled_from(OUTCOMES).map(str), st.integers(0, 10_000))


@given(outcomes)
def test_the_bar_of_an_equation_that_closes_ends_with_what_came_in(found: dict[str, int]) -> None:
    """Part after part without a gap, each as long as its share, and nothing in flight."""
    drawn = equation(sum(found.values()), found)
    assert drawn.closes
    end = 0.0
    for part in drawn.parts:
        assert part.x == pytest.approx(end)
        assert part.width == pytest.approx(100 * part.count / sum(found.values()))
        assert part.group != "flight"
        end += part.width
    assert end == pytest.approx(drawn.came_in)


@given(outcomes, st.integers(1, 10_000))
def test_what_is_in_flight_fills_the_bar_and_it_does_not_close(found: dict[str, int], flight: int) -> None:
    """The bar says how many have no outcome yet."""
    drawn = equation(sum(found.values()) + flight, found)
    assert not drawn.closes
    assert (drawn.parts[-1].group, drawn.parts[-1].count) == ("flight", flight)
    assert drawn.parts[-1].x + drawn.parts[-1].width == pytest.approx(100)


def test_more_decided_than_came_in_is_longer_than_what_came_in() -> None:
    """And what is below zero has no length, but is not taken for closed."""
    drawn = equation(1, {Outcome.REPORTED: 4})
    assert (drawn.closes, drawn.came_in, drawn.parts[0].width) == (False, 25, 100)
    drawn = equation(1, {Outcome.REPORTED: 2, Outcome.HELD: -1})
    assert not drawn.closes
    assert [part.name for part in drawn.parts] == ["reported"]


def test_bars_of_several_days_have_one_scale() -> None:
    """A day of half the events is half as long; nothing at all is nothing."""
    assert equation(5, {Outcome.REPORTED: 5}, 10).came_in == 50
    assert equation(0, {}).parts == []
