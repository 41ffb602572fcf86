"""Simulated years of a large centre, and the charges that should stand after them."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from streams.courses import course
from streams.hospitals import HOSPITALS
from streams.story import Expected, Hospital, Sent, Story

FIRST_YEAR = 2020
"""Six years go over the change of the codes with 2025."""
PATIENTS = 400
"""Whose therapy begins in one year, at a large centre."""
CENTRE = next(hospital for hospital in HOSPITALS if hospital.id == "bayview")
LATE = timedelta(days=60)


@dataclass(frozen=True)
class Years:
    """``patients`` courses of therapy begin in each of ``years`` years; the same seed gives the same records.

    A year's records and charges are made when they are asked for: memory does not grow with the years.
    """

    years: int
    seed: int
    patients: int = PATIENTS
    centre: Hospital = CENTRE
    first: int = 1
    """Number of the first patient."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Year after year, in each in the order they are sent, some of them weeks late."""
        for number in range(self.years):
            yield from self.records_of(number)

    def charges(self) -> Iterator[Expected]:
        """By the day on which the course began."""
        for number in range(self.years):
            yield from self.charges_of(number)

    def records_of(self, number: int) -> Iterator[dict[str, Any]]:
        """All records of the courses that begin in one year, the first of which is number 0."""
        random = Random(f"{self.seed} {number} sent")  # noqa: S311 - simulated, and the same for the same seed
        waiting: list[tuple[datetime, int, Sent]] = []
        count = 0
        for story in self._courses(number):
            # The day before is the earliest that a course speaks of.
            begins = datetime.combine(story.day - timedelta(days=1), time(), UTC)
            while waiting and waiting[0][0] < begins:
                yield heapq.heappop(waiting)[2].record()
            for sent in story.sent:
                late = random.random() < 0.1
                at = sent.at + random.random() * LATE if late else sent.at
                heapq.heappush(waiting, (at, count, sent))
                count += 1
        while waiting:
            yield heapq.heappop(waiting)[2].record()

    def charges_of(self, number: int) -> Iterator[Expected]:
        """What should stand of the courses that begin in one year."""
        for story in self._courses(number):
            yield from sorted(story.expected)

    def _courses(self, number: int) -> Iterator[Story]:
        random = Random(f"{self.seed} {number}")  # noqa: S311 - simulated, and the same for the same seed
        first = date(FIRST_YEAR + number, 1, 1)
        days = (first.replace(year=first.year + 1) - first).days
        for patient in range(self.patients):
            day = first + timedelta(days=patient * days // self.patients)
            name = f"{first.year}-{patient + 1}"
            story = Story(random, self.centre, self.first + number * self.patients + patient, day, name)
            course(story)
            yield story
