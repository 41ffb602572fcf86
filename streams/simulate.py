"""Simulated days of CAR-T procedures, and the charges that should stand after them."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from streams.errors import PerdiemError
from streams.hospitals import HOSPITALS
from streams.stories import STORIES, Teller
from streams.story import Expected, Hospital, Sent, Story

FIRST_DAY = date(2025, 3, 9)
"""Summer time begins in the United States: two o'clock in the morning is skipped."""
LATE = timedelta(hours=30)


class SimulationError(PerdiemError):
    """A simulation that cannot be written."""


@dataclass
class Simulation:
    """``patients`` patients over ``days`` days; the same seed gives the same records."""

    patients: int
    days: int
    seed: int
    hospitals: tuple[Hospital, ...] = HOSPITALS
    expected: set[Expected] = field(default_factory=set)
    """Whole once all records were taken."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Records in the order they are sent, some of them hours late."""
        random = Random(self.seed)  # noqa: S311 - simulated, and must be the same for the same seed
        waiting: list[tuple[datetime, int, Sent]] = []
        count = 0
        for number in range(self.days):
            day = FIRST_DAY + timedelta(days=number)
            dawn = datetime.combine(day, time(), UTC)
            while waiting and waiting[0][0] < dawn:
                yield heapq.heappop(waiting)[2].record()
            for sent in self._day(random, day):
                late = random.random() < 0.15
                at = sent.at + random.random() * LATE if late else sent.at
                heapq.heappush(waiting, (max(at, dawn), count, sent))
                count += 1
        while waiting:
            yield heapq.heappop(waiting)[2].record()

    def _day(self, random: Random, day: date) -> Iterator[Sent]:
        for number in range(self.patients):
            if self.days > 1 and random.random() < 0.3:
                continue
            hospital = self.hospitals[number % len(self.hospitals)]
            told = self._told(random, number)
            story = Story(random, hospital, number + 1, day, f"{day:%y%m%d}-{number + 1}")
            told(story)
            self.expected |= story.expected
            yield from story.sent

    def _told(self, random: Random, number: int) -> Teller:
        stories = [*STORIES]
        if self.days == 1 and number < len(stories):
            return stories[number]
        return random.choices(stories, [*STORIES.values()])[0]


def write(simulation: Simulation, path: Path, *, overwrite: bool = False) -> tuple[int, Path]:
    """Write the records to ``path`` and what should stand beside it: how many records, and where it stands.

    Both are JSON lines. Raises ``SimulationError`` if a file cannot be written, or is there already and
    ``overwrite`` does not allow it.
    """
    beside = path.with_suffix(".expected.jsonl")
    for file in (path, beside):
        if file.exists() and not overwrite:
            raise SimulationError(f"{file}: is there already, --force overwrites it")
    count = 0
    try:
        with path.open("wb") as output:
            for record in simulation.records():
                output.write(msgspec.json.encode(record) + b"\n")
                count += 1
        lines = (msgspec.json.encode(charge) + b"\n" for charge in sorted(simulation.expected))
        beside.write_bytes(b"".join(lines))
    except OSError as error:
        raise SimulationError(f"{error.filename}: {error.strerror}") from error
    return count, beside


def read_expected(path: Path) -> list[Expected]:
    """The charges that should stand, from the file beside the records at ``path``."""
    decode = msgspec.json.Decoder(Expected).decode
    return [decode(line) for line in path.with_suffix(".expected.jsonl").read_bytes().splitlines()]
