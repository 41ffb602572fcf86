"""How sure a difference between alternating runs is."""

from random import Random

import pytest

from bench.paired import difference

TEN = [(100.0, 100.0 + more) for more in (-3, -1, 0, 1, 1, 2, 2, 3, 4, 7)]


def test_the_difference_is_the_median_of_the_pairs() -> None:
    """What disturbs a pair disturbs both of its runs; a single odd pair moves nothing."""
    assert difference(TEN).median == pytest.approx(0.015)
    assert difference([*TEN[:-1], (100.0, 900.0)]).median == pytest.approx(0.015)
    assert difference([(50.0, 55.0), (200.0, 220.0)]).median == pytest.approx(0.1)


def test_of_ten_pairs_the_interval_is_that_of_wilcoxons_table() -> None:
    """Eight averages at either end are left out, 95.1 % sure, as tables have it for ten pairs."""
    found = difference(TEN)
    assert found.sure == pytest.approx(1 - 2 * 25 / 1024)
    assert [found.low, found.high] == pytest.approx([-0.005, 0.035])


def test_the_interval_holds_what_is_true_as_often_as_it_says() -> None:
    """Of many benches of two systems alike, few tell a difference."""
    random, missed = Random(1), 0
    for _ in range(1000):
        found = difference([(100.0, 100.0 * (1 + random.gauss(0, 0.03))) for _ in range(10)])
        missed += not found.low <= 0 <= found.high
    assert 20 < missed < 80


def test_few_pairs_say_that_they_are_not_sure() -> None:
    """A quick bench has no interval of 95 %, and does not claim one."""
    found = difference([(100.0, 101.0), (100.0, 103.0)])
    assert [found.low, found.high, found.sure] == pytest.approx([0.01, 0.03, 0.5])
    assert difference([(100.0, 103.0)]).sure == 0


def test_without_pairs_there_is_no_difference() -> None:
    """It is not told as nothing."""
    with pytest.raises(ValueError, match="no pairs"):
        difference([])
