"""Paired: what one of two alternating runs costs beside the other, and how sure that is."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from statistics import median
from typing import NamedTuple

WRONG = 0.05
"""How often an interval may miss."""


class Difference(NamedTuple):
    """Relative, of pairs; the true one lies between ``low`` and ``high`` with the probability ``sure``."""

    median: float
    low: float
    high: float
    sure: float

    def __str__(self) -> str:
        return f"{self.median:+.1%} ({self.low:+.1%} to {self.high:+.1%})"


def difference(pairs: Sequence[tuple[float, float]]) -> Difference:
    """By how much the second of each pair is more than the first.

    The interval is Wilcoxon's, from the averages of every two differences: exact for any number of pairs, and
    without a guess at how they are spread. Of fewer than six pairs it is not as sure as it should be.
    Raises ValueError if there are none.
    """
    if not pairs:
        raise ValueError("no pairs")
    found = [second / first - 1 for first, second in pairs]
    averages = sorted((a + b) / 2 for a, b in combinations_with_replacement(found, 2))
    chances = _signed_ranks(len(found))
    skipped, missed = 0, chances[0]
    while missed + chances[skipped + 1] <= WRONG / 2:
        skipped += 1
        missed += chances[skipped]
    return Difference(median(found), averages[skipped], averages[-1 - skipped], 1 - 2 * missed)


def _signed_ranks(count: int) -> list[float]:
    """By each sum: how likely the ranks 1 to ``count`` yield it if a coin says which are added."""
    ways = [1]
    for rank in range(1, count + 1):
        added = [0] * rank + ways
        ways = [a + b for a, b in zip(ways + [0] * rank, added, strict=True)]
    return [each / 2**count for each in ways]
