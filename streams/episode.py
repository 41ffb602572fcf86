"""Episodes of a patient, as the ledger's state tells them: read from its changelog, and nothing changed."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from models.billing import Decision, Outcome, decode_decision
from models.episode import Episode, Step, episodes, steps_of
from models.facilities import Facilities
from models.procedures import SEPARATOR, place
from streams.errors import PerdiemError
from streams.kept import kept, partition
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics
from streams.why import HINT

WAITS = (Outcome.HELD, Outcome.DEAD_LETTERED)


class EpisodeError(PerdiemError):
    """A question that cannot be answered. The text never repeats a patient."""


class Told(NamedTuple):
    """What is known of one patient."""

    patient: str
    """Whose charges they are: the survivor of the one asked for."""
    merged: bool
    """The one asked for was merged into ``patient``."""
    episodes: list[Episode]
    waiting: list[Decision]
    """The latest decision on every event of the patient that is held or a dead letter."""


async def of_patient(
    settings: Settings,
    patient: str,
    facilities: Facilities | None = None,
    *,
    today: date,
    patience: int,
) -> Told:
    """The episodes of a patient, or of the one that it was merged into.

    ``patient`` is ``AUTHORITY|MRN``, in any spelling that ``facilities`` know; without them as they write
    it. ``patience``: days after which what should follow is missing. Raises ``EpisodeError`` if nothing is
    known, or for what is no patient; ``BrokersError``, ``ReadingError``.
    """
    if patient.count(SEPARATOR) != 1:
        raise EpisodeError(f"--patient: expected AUTHORITY{SEPARATOR}MRN")
    asked = name = (facilities.patient(patient) if facilities else None) or patient
    topics = Topics.of(settings)
    async with reader(settings) as source:
        known, days = await kept(source, topics.patient_days.name, name)
        followed = {name}
        while known.survivor is not None and known.survivor not in followed:
            name = known.survivor
            followed.add(name)
            known, days = await kept(source, topics.patient_days.name, name)
        steps = steps_of(days)
        waiting = await _waiting(source, topics.decisions.name, {*followed, *_stated(steps)})
    if not steps and not waiting:
        hint = "" if facilities else f". {HINT}"
        raise EpisodeError(f"no procedure of this patient is known{hint}")
    return Told(name, name != asked, episodes(steps, waiting, today, patience), waiting)


def _stated(steps: list[Step]) -> Iterator[str]:
    """Those merged into the patient, as far as something was stated of them."""
    return (step.statement.stated_patient for step in steps)


async def _waiting(source: Reader, log: str, patients: Collection[str]) -> list[Decision]:
    """What waits for a person now. A later decision on the same event may lie under another patient's key."""
    waiting: dict[str, Decision] = {}
    for patient in sorted(patients):
        async for record in partition(source, log, patient.encode()):
            if record.key == patient.encode():
                _take(waiting, decode_decision(record.value))
    waiting = {event: made for event, made in waiting.items() if made.outcome in WAITS}
    if waiting:
        async for records in source.read(await source.spans(log)):
            for record in records:
                made = decode_decision(record.value)
                if made.event_id in waiting:
                    _take(waiting, made)
    found = [made for made in waiting.values() if made.outcome in WAITS and made.patient in patients]
    return sorted(found, key=lambda made: place(made.event_id))


def _take(latest: dict[str, Decision], made: Decision) -> None:
    if made.event_id not in latest or made.sequence > latest[made.event_id].sequence:
        latest[made.event_id] = made
