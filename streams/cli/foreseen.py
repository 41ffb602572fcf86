"""What a command would bring about, told before it is given."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.commands import Discard, Redrive, Reject, Release
    from models.worklist import Item
    from streams.foresight import Foreseen
    from streams.settings import Settings


def ask(
    settings: "Settings", item: "Item", said: "Release | Reject | Redrive | Discard"
) -> "Foreseen | None":
    """What ``said`` would do; with the facilities file, where PERDIEM_FACILITIES names one."""
    from streams.facilities import read_facilities
    from streams.foresight import foresee

    facilities = read_facilities(settings.facilities) if settings.facilities else None
    return asyncio.run(foresee(settings, item, said, facilities))


def lines(found: "Foreseen | None", *, show_patients: bool = False) -> Iterator[str]:
    """For a person: what would be decided of each event, charged and credited."""
    from msgspec.structs import replace

    from models.changes import changes
    from models.explain import explain
    from streams.foresight import HYPOTHETICAL

    if found is None:
        return
    for decision in found.decisions:
        if decision.event_id != HYPOTHETICAL:
            own = replace(decision, cause=decision.event_id)
            yield f"{decision.event_id}: {' '.join(explain(own, warnings=False))}"
    yield from changes(found.billing_events, show_patients=show_patients)
    if not found.billing_events and found.is_whole:
        yield "No charge or credit would be written."
    if not found.is_whole:
        yield "More would follow elsewhere, which is not shown here."
