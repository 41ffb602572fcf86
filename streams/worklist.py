"""The worklist as the changelogs of ``holds`` have it: no worker need be asked."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

from msgspec.structs import replace

from models.dates import time_of
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


Wanted = Callable[[Item], bool]
"""Which items are asked for. All are read, and of a decided one the worklist keeps everything."""


def every(_: Item) -> bool:
    """Wants all."""
    return True


def named(*ids: str) -> Wanted:
    """Wants those of these ids."""
    return lambda item: item.id in ids


async def held(settings: Settings, wanted: Wanted, *, whole: bool = False) -> dict[str, Item]:
    """The items but dead letters that are ``wanted``, by id, the oldest first.

    Without what the source sent, unless ``whole``: memory grows with what is wanted, not with what was ever
    on the worklist. Raises ``BrokersError``, ``ReadingError``.
    """
    return await _items(settings, Topics.of(settings).holds, wanted, whole)


async def dead_letters(settings: Settings, wanted: Wanted, *, whole: bool = False) -> dict[str, Item]:
    """As ``held``, of the dead letters."""
    return await _items(settings, Topics.of(settings).redrives, wanted, whole)


async def _items(settings: Settings, changelog: Topic, wanted: Wanted, whole: bool) -> dict[str, Item]:
    found: dict[str, Item] = {}
    async with reader(settings) as source:
        async for records in source.read(await source.spans(changelog.name)):
            for record in records:
                if not record.key.startswith(ITEMS):
                    continue
                item = unpack_item(record.value) if record.value else None
                if item is not None and wanted(item):
                    found[item.id] = item if whole else replace(item, key=None, value=None, headers=())
                else:
                    found.pop(record.key.removeprefix(ITEMS).decode(), None)
    return {item.id: item for item in sorted(found.values(), key=attrgetter("since"))}


HOMES = {Kind.ALERT: "an alert: perdiem alerts", Kind.DEAD_LETTER: "a dead letter: perdiem dead-letters"}
"""What lists an item; ``perdiem holds`` all else."""


async def chosen(
    settings: Settings, ids: Iterable[str], *kinds: Kind, open_only: bool = True, whole: bool = False
) -> list[Item]:
    """The items of these ids, each once, with what the source sent if ``whole``.

    Raises ``WorklistError``, one line for each that is none of ``kinds`` or, if ``open_only``, not open;
    ``BrokersError``, ``ReadingError``.
    """
    once = [*dict.fromkeys(ids)]
    reads = (dead_letters, held) if Kind.DEAD_LETTER in kinds else (held, dead_letters)
    items = await reads[0](settings, named(*once), whole=whole)
    if items.keys() < {*once}:
        items = await reads[1](settings, named(*once)) | items
    wrong = []
    for name in once:
        item = items.get(name)
        if item is None:
            wrong.append(f"{name}: nothing of this name is on the list")
        elif item.kind not in kinds:
            wrong.append(f"{name}: it is {HOMES.get(item.kind, 'held: perdiem holds')}")
        elif open_only and item.state is not State.OPEN:
            wrong.append(f"{name}: is {state_of(item)} already")
    if wrong:
        raise WorklistError("\n".join(wrong))
    return [items[name] for name in once]


def state_of(item: Item) -> str:
    """Its state in words: an alert is closed, where all else would be rejected."""
    return "closed" if item.kind is Kind.ALERT and item.state is State.REJECTED else item.state.value


def masked(patient: str | None, show_patients: bool) -> str | None:
    """The patient, or only who assigned the number."""
    if patient is None or show_patients:
        return patient
    return f"{patient.partition(SEPARATOR)[0]}{SEPARATOR}***"


def told(item: Item, show_patients: bool) -> dict[str, Any]:
    """An item for programs, without what the source sent."""
    since = time_of(item.since)
    return {
        "id": item.id,
        "kind": item.kind,
        "state": item.state,
        "since": since.isoformat(timespec="seconds") if since else None,
        "reason": item.reason,
        "field": item.field,
        "detail": item.detail,
        "releases": releases(item),
        "patient": masked(item.patient, show_patients),
        "others": [masked(each, show_patients) for each in item.others],
        "facility": item.facility,
        "source": item.source,
        "topic": item.topic,
        "service_date": item.service_date.isoformat() if item.service_date else None,
        "event_ids": [*item.event_ids],
        "procedure_id": item.procedure_id,
        "product": item.product,
        "charge_id": item.charge_id,
        "redriven": item.redriven,
    }
