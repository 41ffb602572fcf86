"""The worklist as the changelogs of ``holds`` have it: no worker need be asked."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from models.explain import releases
from models.procedures import SEPARATOR
from models.worklist import Item, Kind, State, unpack_item
from streams.errors import PerdiemError
from streams.reading import reader
from streams.settings import Settings
from streams.topics import Topic, Topics

ITEMS: Final = b"worklist\0"
"""What the keys of the table begin with."""


class WorklistError(PerdiemError):
    """An item that is not there, or not open."""


async def held(settings: Settings) -> dict[str, Item]:
    """Every item but dead letters by id, the oldest first. Raises ``BrokersError``, ``ReadingError``."""
    return await _items(settings, Topics.of(settings).holds)


async def dead_letters(settings: Settings) -> dict[str, Item]:
    """Every dead letter by id, the oldest first. Raises ``BrokersError``, ``ReadingError``."""
    return await _items(settings, Topics.of(settings).redrives)


async def _items(settings: Settings, changelog: Topic) -> dict[str, Item]:
    last: dict[bytes, bytes | None] = {}
    async with reader(settings) as source:
        async for records in source.read(await source.spans(changelog.name)):
            last |= {record.key: record.value for record in records if record.key.startswith(ITEMS)}
    items = sorted((unpack_item(value) for value in last.values() if value), key=lambda item: item.since)
    return {item.id: item for item in items}


def chosen(items: dict[str, Item], ids: Iterable[str], *kinds: Kind) -> list[Item]:
    """The open items of these ids. Raises ``WorklistError``, one line for each that is none of ``kinds``."""
    wrong = []
    for name in ids:
        item = items.get(name)
        if item is None or item.kind not in kinds:
            wrong.append(f"{name}: nothing of this name is on the list")
        elif item.state is not State.OPEN:
            wrong.append(f"{name}: is {item.state} already")
    if wrong:
        raise WorklistError("\n".join(wrong))
    return [items[name] for name in ids]


def masked(patient: str | None, show_patients: bool) -> str | None:
    """The patient, or only who assigned the number."""
    if patient is None or show_patients:
        return patient
    return f"{patient.partition(SEPARATOR)[0]}{SEPARATOR}***"


def told(item: Item, show_patients: bool) -> dict[str, Any]:
    """An item for programs, without what the source sent."""
    since = datetime.fromtimestamp(item.since / 1000, UTC)
    return {
        "id": item.id,
        "kind": item.kind,
        "state": item.state,
        "since": since.isoformat(timespec="seconds"),
        "reason": item.reason,
        "field": item.field,
        "detail": item.detail,
        "releases": releases(item),
        "patient": masked(item.patient, show_patients),
        "facility": item.facility,
        "source": item.source,
        "topic": item.topic,
        "service_date": item.service_date.isoformat() if item.service_date else None,
        "event_ids": [*item.event_ids],
        "charge_id": item.charge_id,
        "redriven": item.redriven,
    }
