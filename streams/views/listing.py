"""Listing: items of the worklist as pages show them; no patient stands in a list."""

import time
from datetime import date

import msgspec
from aiohttp import web

from models.explain import releases
from models.worklist import Item, Kind, Listed, State
from streams.views.secret import Secret
from streams.why import EVENT_ID


def name_of(keys: Secret, item: str) -> str:
    """What stands in a URL for an item: an event's id itself, which holds no patient; else an opaque name,
    for an item may be named by what a person or billing called something."""
    return item if EVENT_ID.fullmatch(item) else keys.opaque("item", item)


def id_of(keys: Secret, name: str) -> str:
    """The item of a name. Raises ``HTTPNotFound`` for what names none."""
    if EVENT_ID.fullmatch(name):
        return name
    try:
        kind, item = keys.named(name)
    except ValueError:
        raise web.HTTPNotFound from None
    if kind != "item":
        raise web.HTTPNotFound
    return item


def cursor(keys: Secret, place: Listed) -> str:
    """What stands in a URL for a place in the list."""
    return keys.opaque("place", str(int(place.is_open)), str(place.since), place.id)


def place_of(keys: Secret, text: str) -> Listed:
    """Raises ``HTTPBadRequest`` for what is no cursor."""
    try:
        kind, is_open, since, item = keys.named(text)
        if kind == "place":
            return Listed(is_open == "1", int(since), item)
    except ValueError:
        pass
    raise web.HTTPBadRequest(reason="after: a place that a page of this list gave expected")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One item in a list."""

    id: str
    name: str
    """Of its page."""
    kind: Kind
    state: State
    since: int
    """Milliseconds since the epoch."""
    reason: str | None
    field: str | None
    releases: str
    """What would release it, or what else is to be done about it."""
    facility: str | None
    source: str | None
    service_date: date | None
    place: str | None
    """Of the source record: topic, partition and offset."""
    redriven: int

    @property
    def age(self) -> float:
        """Seconds."""
        return max(0.0, time.time() - self.since / 1000)

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN


def to_do(item: Item, *, unmasked: bool) -> str:
    """What would release it, or what else is to be done; ``unmasked``: with the product of an alert."""
    if item.kind is Kind.REFUSED_CHARGE:
        # What billing said may name anybody.
        return "Billing refused the charge; it stands."
    return releases(item if unmasked else msgspec.structs.replace(item, product=None))


def line_of(keys: Secret, item: Item, *, unmasked: bool) -> Line:
    return Line(
        id=item.id,
        name=name_of(keys, item.id),
        kind=item.kind,
        state=item.state,
        since=item.since,
        reason=item.reason,
        field=item.field,
        releases=to_do(item, unmasked=unmasked),
        facility=item.facility,
        source=item.source,
        service_date=item.service_date,
        place=None if item.topic is None else f"{item.topic}:{item.partition}:{item.offset}",
        redriven=item.redriven,
    )
