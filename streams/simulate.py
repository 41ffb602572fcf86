"""Simulated days of CAR-T procedures, and the charges that should stand after them."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec

from streams.errors import PerdiemError
from streams.hospitals import HOSPITALS
from streams.people import STORIES_OF_PEOPLE
from streams.stories import STORIES, Teller
from streams.story import Expected, Hospital, Sent, Story

FIRST_DAY = date(2025, 3, 9)
"""Summer time begins in the United States: two o'clock in the morning is skipped."""
LATE = timedelta(hours=30)


class SimulationError(PerdiemError):
    """A simulation that cannot be written."""


class Simulated(Protocol):
    """Records, and what should stand of them. The same each time they are asked for."""

    def records(self) -> Iterator[dict[str, Any]]:
        """In the order they are sent."""

    def charges(self) -> Iterable[Expected]:
        """What should stand, once all records were taken."""


class Written(NamedTuple):
    """How many records and charges were written, and the file of the charges."""

    records: int
    charges: int
    beside: Path


@dataclass
class Simulation:
    """``patients`` patients over ``days`` days; the same seed gives the same records."""

    patients: int
    days: int
    seed: int
    hospitals: tuple[Hospital, ...] = HOSPITALS
    first: date = FIRST_DAY
    people: bool = False
    """Whether people have a part in it: with commands on a topic of their own."""
    first_patient: int = 1
    """Number of the first patient."""
    expected: set[Expected] = field(default_factory=set)
    """Whole once all records were taken."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Records in the order they are sent, some of them hours late."""
        random = Random(self.seed)  # noqa: S311 - simulated, and must be the same for the same seed
        waiting: list[tuple[datetime, int, Sent]] = []
        count = 0
        for number in range(self.days):
            day = self.first + timedelta(days=number)
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

    def charges(self) -> list[Expected]:
        """Sorted."""
        return sorted(self.expected)

    def _day(self, random: Random, day: date) -> Iterator[Sent]:
        for number in range(self.patients):
            if self.days > 1 and random.random() < 0.3:
                continue
            hospital = self.hospitals[number % len(self.hospitals)]
            told = self._told(random, number)
            story = Story(random, hospital, self.first_patient + number, day, f"{day:%y%m%d}-{number + 1}")
            told(story)
            self.expected |= story.expected
            yield from story.sent

    def _told(self, random: Random, number: int) -> Teller:
        weights = STORIES | STORIES_OF_PEOPLE if self.people else STORIES
        stories = [*weights]
        if self.days == 1 and number < len(stories):
            return stories[number]
        return random.choices(stories, [*weights.values()])[0]


def write(simulation: Simulated, path: Path, *, overwrite: bool = False) -> Written:
    """Write the records to ``path``, and what should stand beside it.

    Both are JSON lines. Raises ``SimulationError`` if a file cannot be written, or is there already and
    ``overwrite`` does not allow it.
    """
    beside = path.with_suffix(".expected.jsonl")
    for file in (path, beside):
        if file.exists() and not overwrite:
            raise SimulationError(f"{file}: is there already, --force overwrites it")
    records = charges = 0
    try:
        with path.open("wb") as output:
            for record in simulation.records():
                output.write(msgspec.json.encode(record) + b"\n")
                records += 1
        with beside.open("wb") as output:
            for charge in simulation.charges():
                output.write(msgspec.json.encode(charge) + b"\n")
                charges += 1
    except OSError as error:
        raise SimulationError(f"{error.filename}: {error.strerror}") from error
    return Written(records, charges, beside)


def read_expected(path: Path) -> list[Expected]:
    """The charges that should stand, from the file beside the records at ``path``."""
    decode = msgspec.json.Decoder(Expected).decode
    return [decode(line) for line in path.with_suffix(".expected.jsonl").read_bytes().splitlines()]
