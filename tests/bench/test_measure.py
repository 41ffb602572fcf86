"""What the bench makes of what it sees."""

import pytest

from bench.measure import LOOK_EVERY, Sample, steady
from bench.systems import BenchError


def samples(*visible: int, every: float = 1.0) -> list[Sample]:
    """One look ``every`` so many seconds."""
    return [Sample(at * every, count, 0.0, 0.0, 0) for at, count in enumerate(visible)]


def test_the_rate_is_taken_between_two_commits_past_the_warm_up_and_before_the_tail() -> None:
    """What is decided first, and what waits for a last commit, count for no system."""
    first, last = steady(samples(0, 0, 5, 20, 20, 60, 90, 96, 96, 100, 100))
    assert (first.at, last.at) == (3, 6)


def test_a_system_that_commits_rarely_is_measured_from_commit_to_commit() -> None:
    """Its waiting for an interval to end is neither left out nor counted twice."""
    first, last = steady(samples(0, 0, 40, 40, 80, 80, 100))
    assert (last.visible - first.visible) / (last.at - first.at) == 20


def test_a_system_with_few_commits_is_measured_up_to_its_last() -> None:
    """Two commits tell a rate, even where the second is the end."""
    first, last = steady(samples(0, 50, 50, 100))
    assert (first.at, last.at) == (1, 3)


def test_a_commit_that_is_seen_in_parts_is_one_commit() -> None:
    """Its second part was not done in the moment between two looks."""
    seen = [0, 20, 40] + 18 * [40] + [60, 80] + 18 * [80] + [100]
    first, last = steady(samples(*seen, every=LOOK_EVERY))
    assert (last.visible - first.visible) / (last.at - first.at) == pytest.approx(40)


def test_one_commit_tells_no_rate() -> None:
    """Rather an error than a figure that means nothing."""
    with pytest.raises(BenchError, match="input is too small"):
        steady(samples(0, 0, 100, 100))
