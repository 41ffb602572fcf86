"""Pace: how much this worker did in the last hour, how long it took, and how far behind it is."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiokafka import TopicPartition

from streams.once import Silent, UnitOfWork
from streams.once.owner import Owner

BIN = 30
"""Seconds that are counted together."""
BINS = 120
"""An hour."""
_BOUNDS = tuple(round(10 * 2 ** (step / 2)) for step in range(25))
"""Milliseconds, 10 to 41,000, by half powers of two: within a fifth of what was measured."""
_SEEN = 600
"""Ends of a partition that are remembered: one a second while it moves."""


class Bin(msgspec.Struct):
    """What was done in ``BIN`` seconds."""

    at: int
    """Seconds since the epoch at which it begins; a multiple of ``BIN``."""
    records: dict[str, int] = {}
    """By agent: source records dealt with."""
    commits: int = 0
    commit_seconds: float = 0.0
    """Of all of them together: filling and committing."""
    waited: dict[str, dict[int, int]] = {}
    """By agent: how many units of work by the time that the oldest record waited, in ms, rounded up."""


class Pace(Silent):
    """Told by the engine of every unit of work; asked once a second how far behind each partition is."""

    def __init__(self) -> None:
        self._bins: deque[Bin] = deque(maxlen=BINS)
        self._ends: dict[TopicPartition, deque[tuple[float, int]]] = {}

    @property
    def bins(self) -> list[Bin]:
        """Of the last hour, the oldest first; none in which nothing was done."""
        since = time.time() - BIN * BINS
        return [each for each in self._bins if each.at >= since]

    def committed(self, unit: UnitOfWork, seconds: float) -> None:
        records = unit.batch.records
        if not records:
            return
        now, agent = self._bin(), unit.owner.agent.name
        now.records[agent] = now.records.get(agent, 0) + len(records)
        now.commits += 1
        now.commit_seconds += seconds
        waited, times = _rounded(time.time() * 1000 - records[0].timestamp), now.waited.setdefault(agent, {})
        times[waited] = times.get(waited, 0) + 1

    def look(self, owners: Iterable[Owner], consumer: Any) -> None:
        """Remember where each source ends now."""
        now = time.monotonic()
        seen = {}
        for owner in owners:
            ends = self._ends.get(owner.tp) or deque(maxlen=_SEEN)
            end = consumer.thread.log_end(owner.tp)
            if end is not None and (not ends or ends[-1][1] != end):
                ends.append((now, end))
            seen[owner.tp] = ends
        self._ends = seen

    def behind(self, tp: TopicPartition, position: int) -> float:
        """Seconds for which records have waited after ``position``, as far as was seen; 0 if none wait."""
        past = next((at for at, end in self._ends.get(tp, ()) if end > position), None)
        return 0.0 if past is None else time.monotonic() - past

    def _bin(self) -> Bin:
        at = int(time.time()) // BIN * BIN
        if not self._bins or self._bins[-1].at < at:
            self._bins.append(Bin(at))
        return self._bins[-1]


def _rounded(milliseconds: float) -> int:
    return next((bound for bound in _BOUNDS if milliseconds <= bound), _BOUNDS[-1])


def quantile(waited: Mapping[int, int], part: float) -> int | None:
    """The milliseconds that ``part`` of all (0 to 1) stayed within; None if there are none."""
    left = part * sum(waited.values())
    for bound, count in sorted(waited.items()):
        left -= count
        if left <= 0:
            return bound
    return None
