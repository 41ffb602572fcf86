"""Stalls: how long a reader of billing events waits for the next one, partition by partition, under load."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from streams.reading import reader
from streams.settings import Settings
from streams.topics import Topics
from tests.integration.counting import until

UNDER_WAY = 1.0
"""Seconds: what a worker committed just before it was harmed reaches the reader later, but not by more."""
OVER_WITHIN = 120.0


class Harm(NamedTuple):
    """What was done to a worker, and the ledger's partitions that it owned then."""

    at: float
    partitions: frozenset[int]


class Gap(NamedTuple):
    """Between two billing events of a partition."""

    partition: int
    begin: float
    end: float


class Stalls:
    """Follows the billing events under read_committed, as a biller does.

    Only the ledger writes them, so one in partition 2 says that partition 2 of the ledger moves. Measured
    is what that reader waits for: an open transaction of one partition's owner can hide what another one
    has written, which timestamps of records would not show.
    """

    def __init__(self, harms: list[Harm]) -> None:
        self.harms = harms
        self._came: dict[int, list[float]] = {}

    async def follow(self, settings: Settings) -> None:
        """Without an end: to be cancelled."""
        topic = Topics.of(settings).billing_events.name
        async with reader(settings) as source:
            spans = await source.spans(topic)
            self._came = {partition.partition: [] for partition in spans}
            async for records in source.follow(topic, spans):
                self._came[records[0].partition].append(time.monotonic())

    async def over(self) -> None:
        """Every partition has billing events again that were not under way before."""
        since = time.monotonic() + UNDER_WAY
        await until(lambda: self._all_came(since), OVER_WITHIN)

    def _all_came(self, since: float) -> bool:
        return bool(self._came) and all(times and times[-1] > since for times in self._came.values())

    def longest(self, *, harmed: bool) -> float:
        """The longest gap of a partition whose owner was harmed, or of the others."""
        gaps = (gap.end - gap.begin for gap in self._gaps() if self._is_harmed(gap) is harmed)
        return max(gaps, default=0.0)

    def _gaps(self) -> Iterator[Gap]:
        for partition, times in self._came.items():
            for begin, end in pairwise(times):
                yield Gap(partition, begin, end)

    def _is_harmed(self, gap: Gap) -> bool:
        return any(
            gap.partition in harm.partitions and gap.begin - UNDER_WAY < harm.at < gap.end
            for harm in self.harms
        )
