"""Percentiles as they are reported."""

import pytest

from bench.latency import percentile


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_one_of_the_times_that_were_measured(share: float, expected: float) -> None:
    """So many of a hundred took as long, or less."""
    assert percentile([float(took) for took in range(1, 101)], share) == expected


def test_the_percentile_of_one_time_is_that_time() -> None:
    """A single event is its own p50 and p99."""
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0
