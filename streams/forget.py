"""Forget: which patients have days before a date, and the commands that have them forgotten."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

from aiokafka import ConsumerRecord

from models.commands import Forget
from models.dates import months_after
from models.patient import Patient, decode_patient
from streams.errors import PerdiemError
from streams.kept import PATIENTS
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.spill import Spill
from streams.topics import Topics


class ForgetError(PerdiemError):
    """A date before which nothing may be forgotten."""


class Who(NamedTuple):
    """Who wants it, when and why."""

    user: str
    time: datetime
    reason: str


class Old:
    """The patients of whom a day before ``before`` is kept, on disk until the context ends."""

    def __init__(self, before: date) -> None:
        self.before = before
        self.patients = 0
        self.days = 0
        self._closing = ExitStack()
        self._spill = self._closing.enter_context(Spill())

    async def read(self, source: Reader, topic: str) -> None:
        async for records in source.read(await source.spans(topic)):
            self._take(records)

    def count(self) -> None:
        """How many patients and days there are."""
        for _, days in self._due():
            self.patients += 1
            self.days += len(days)

    def commands(self, who: Who) -> Iterator[Forget]:
        """One for each patient. The same date and patient is the same command, whenever it is sent."""
        for patient, _ in self._due():
            name = sha256(f"{self.before}\n{patient}".encode()).hexdigest()[:32]
            yield Forget(
                id=f"forget:{self.before}:{name}",
                patient=patient,
                before=self.before,
                user=who.user,
                time=who.time,
                reason=who.reason,
            )

    def close(self) -> None:
        self._closing.close()

    def _take(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            if record.key.startswith(PATIENTS):
                whose = record.key.removeprefix(PATIENTS)
                self._spill.put_latest(0, record.key, whose, record.value)

    def _due(self) -> Iterator[tuple[str, set[date]]]:
        for group in self._spill.groups():
            for record in group:
                days = days_before(decode_patient(record.value), self.before)
                if days:
                    yield record.group.decode(), days


def days_before(patient: Patient, before: date) -> set[date]:
    """The days that are kept of a patient and lie before a date; none once they were forgotten."""
    if patient.expired_before and patient.expired_before >= before:
        return set()
    return {day for day in (*patient.places.values(), *patient.left) if day and day < before}


def check(before: date, today: date, years: int, *, force: bool) -> None:
    """Raise ``ForgetError`` for a date that retention forbids.

    What lies ahead is never forgotten: it would not be charged when it comes, and nobody could undo that.
    """
    if before > today:
        raise ForgetError(f"--before: {before} lies ahead: a date that has passed expected")
    if months_after(before, 12 * years) > today and not force:
        raise ForgetError(
            f"--before: {before} is less than {years} years ago (PERDIEM_RETENTION_YEARS): "
            "--force forgets it all the same"
        )


@asynccontextmanager
async def old(settings: Settings, before: date) -> AsyncIterator[Old]:
    """What the ledger keeps of days before ``before``, counted.

    Raises ``BrokersError``, ``ReadingError``.
    """
    found = Old(before)
    try:
        async with reader(settings) as source:
            await found.read(source, Topics.of(settings).patient_days.name)
        found.count()
        yield found
    finally:
        found.close()
