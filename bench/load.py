"""Load: what goes in, the same for every system and every run."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec

from models.codes import Service, code_on
from models.facilities import Facilities
from models.facilities_file import parse
from models.messages import Unreadable
from models.procedures import ProcedureEvent, encode_procedure
from models.resolve import resolve
from streams.hospitals import HOSPITALS
from streams.intake.json_procedures import read
from streams.play import Record, read_lines
from streams.settings import Settings
from streams.simulate import Simulation

FACILITIES = Path(__file__).parent.parent / "examples" / "facilities.toml"
PROCEDURES: str = Settings.model_fields["topic_procedures"].default
SEED = 1
DAYS = 4
RECORDS_PER_PATIENT = 9.5
"""Of ``DAYS`` simulated days, about."""
RECENT = 1000
"""A record that comes again is one of so many before it."""
DAYS_OF_PATIENT = 4
SERVICES_OF_DAY = (Service.RECEIPT, Service.ADMINISTRATION)
_RECEIVED = int(datetime(2025, 3, 9, tzinfo=UTC).timestamp() * 1000)


def messages(count: int) -> list[Record]:
    """``count`` records of simulated hospitals for the source topics: corrections, resends and all."""
    lines = map(
        msgspec.json.encode, Simulation(int(count / RECORDS_PER_PATIENT * 1.2) + 1, DAYS, SEED).records()
    )
    records = read_lines(lines)
    return [record for record, _ in zip(records, range(count), strict=False)]


def again(records: Iterable[Record], share: float) -> Iterator[Record]:
    """``records``, mixed with copies of recent ones until these are ``share`` of all."""
    random = Random(SEED)
    recent: deque[Record] = deque(maxlen=RECENT)
    for record in records:
        while recent and random.random() < share:
            yield random.choice(recent)
        recent.append(record)
        yield record


def canonical(records: Iterable[Record]) -> Iterator[Record]:
    """What intake makes of ``records`` for the ledger. What it would hold or put aside is left out."""
    facilities = load_facilities()
    for number, record in enumerate(records):
        try:
            stated = read(record.value)
        except Unreadable:
            continue
        for index, message in enumerate(stated):
            event_id = f"{record.topic}:0:{number}:{index}"
            event = resolve(message, facilities, event_id=event_id, received=_RECEIVED)
            if isinstance(event, ProcedureEvent):
                yield _keyed(event)


def patient_days(first: int, behind: int) -> Iterator[Record]:
    """Two procedures of each patient-day from number ``first`` up to ``behind``, as intake passes them on."""
    [record] = (record for record in canonical(messages(1)))
    sample = msgspec.json.decode(record.value or b"", type=ProcedureEvent)
    hospital = HOSPITALS[0]
    for number in range(first, behind):
        patient = hospital.patient(number // DAYS_OF_PATIENT + 1)
        day = date(2025, 3, 9) + timedelta(days=number % DAYS_OF_PATIENT)
        for index, service in enumerate(SERVICES_OF_DAY):
            yield _keyed(
                msgspec.structs.replace(
                    sample,
                    event_id=f"{PROCEDURES}:0:{number}:{index}",
                    patient=patient,
                    stated_patient=patient,
                    procedure_id=f"{number}-{index}",
                    service=service,
                    service_date=day,
                    code=code_on(service, day),
                )
            )


def load_facilities() -> Facilities:
    return parse(FACILITIES.read_text())


def _keyed(event: ProcedureEvent) -> Record:
    return Record(PROCEDURES, event.patient.encode(), encode_procedure(event), [])
