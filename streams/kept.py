"""Kept: what the ledger's state holds, read from its changelog. Nothing is changed."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from models.day import PatientDay, decode_patient_day
from models.patient import Patient, decode_patient
from streams.partitioning import partition_of
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics

DAYS: Final = b"patient_days\0"
"""What the keys of the ledger's days begin with in its changelog."""
PATIENTS: Final = b"patients\0"
"""What the keys of its patients begin with there."""
UNTIL_DATE: Final = b"\x1f"
"""What ends the patient in the key of a patient-day."""


class Kept(NamedTuple):
    """What the ledger's tables hold of one patient."""

    patient: Patient
    days: list[PatientDay]

    @property
    def standing(self) -> int:
        """How many charges stand."""
        units = (unit for day in self.days for units in day.units.values() for unit in units)
        return sum(unit.charge is not None for unit in units)


async def kept(source: Reader, log: str, patient: str) -> Kept:
    """What is kept of ``patient`` now; ``log`` is the ledger's changelog."""
    own, dated = PATIENTS + patient.encode(), DAYS + patient.encode() + UNTIL_DATE
    state, days = Patient(), dict[bytes, PatientDay | None]()
    async for record in partition(source, log, patient.encode()):
        if record.key == own:
            state = decode_patient(record.value) if record.value else Patient()
        elif record.key.startswith(dated):
            days[record.key] = decode_patient_day(record.value) if record.value else None
    return Kept(state, [day for day in days.values() if day])


async def standing_of(settings: Settings, patient: str) -> int:
    """How many charges of ``patient`` stand now. Raises ``BrokersError``, ``ReadingError``."""
    async with reader(settings) as source:
        return (await kept(source, Topics.of(settings).patient_days.name, patient)).standing


async def partition(source: Reader, log: str, key: bytes) -> AsyncIterator[ConsumerRecord]:
    """The records of the partition of ``log`` in which ``key`` belongs."""
    spans = await source.spans(log)
    chosen = TopicPartition(log, partition_of(key, len(spans)))
    async for records in source.read({chosen: spans[chosen]}):
        for record in records:
            yield record
