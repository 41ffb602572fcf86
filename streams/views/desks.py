"""Desks: the worklist and the dead letters: look, filter, decide. One form for both."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from models.acks import Ack
from models.billing import Reason
from models.commands import Command, Release
from models.explain import REASONS, Order, explain
from models.facilities import Facilities
from models.filling import Blank, blanks, stated
from models.selection import Selection
from models.worklist import Item, Kind, State
from streams.access import Did
from streams.commands import orders
from streams.errors import PerdiemError
from streams.topics import Topics
from streams.views.deciding import ACTS, Deciding, Desk
from streams.views.hrefs import Hrefs
from streams.views.listing import Line, cursor, id_of, line_of, name_of, place_of
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site
from streams.views.workers import Missing
from streams.views.worklist import Next, Worklist
from streams.worklist import masked

S = TypeVar("S", bound=StrEnum)
EDITABLE = 200_000
"""Bytes of a record that a form can hold: sent back they may be three times as many."""
HEARD = 20
"""Commands on one item that are told of: the latest."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list."""

    path: str
    title: str
    items: list[Line]
    selection: dict[str, str]
    """What the list was asked for, as the address has it."""
    next: str | None
    """The query of the page behind this one; what it may hold was not looked through yet."""
    missing: list[Missing]
    choices: dict[str, list[str]]
    """What the filters can be."""
    acts: dict[str, str]
    """What whoever looks can do with several at once."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was given on the item."""

    event_id: str
    outcome: str
    said: list[str]
    command: str | None = None
    user: str | None = None
    time: datetime | None = None
    why: str | None = None
    """Only for who may see patients: people write what they like."""
    filled: list[str] = []
    """The fields that it filled in."""


class Other(msgspec.Struct, frozen=True):
    """Another patient; ``patient`` is masked for whoever may not see it."""

    patient: str | None
    href: str


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """One item whole, as far as whoever looks may see it."""

    path: str
    title: str
    line: Line
    patient: str | None
    patient_href: str | None
    day_href: str | None
    detail: str | None
    decided: list[str]
    """What was last decided of it, in sentences."""
    events: dict[str, str]
    """The events that it is about, by the name of their page here."""
    others: list[Other]
    """Of an alert: who had the same procedure or product before."""
    charge_id: str | None
    record: str | None
    """What the source sent; None for who may not see it."""
    editable: bool
    before: list[Before]
    blanks: list[Blank]
    acts: dict[str, str]
    missing: list[Missing]


class Desks:
    """The pages of the lists."""

    def __init__(self, site: Site, worklist: Worklist, hrefs: Hrefs, facilities: list[str]) -> None:
        self._site = site
        self._worklist = worklist
        self._deciding = Deciding(worklist, hrefs)
        self._facilities = facilities

    def add(self, desk: Desk) -> None:
        site, deciding = self._site, self._deciding

        @site.page(desk.path, desk.look, "worklist.html")
        async def listing(asked: Asked) -> Shown:
            """What waits, the oldest first; or what was decided."""
            return await self._list(asked, desk)

        @site.form(f"{desk.path}/preview", desk.decide, "preview.html")
        async def preview(asked: Asked) -> Shown:
            """What would come of an order; nothing is done."""
            return await deciding.preview(asked, desk)

        @site.form(f"{desk.path}/decide", desk.decide, "decided.html")
        async def decide(asked: Asked) -> Shown:
            """Carry out an order, and tell what came of it."""
            return await deciding.decide(asked, desk)

        @site.page(f"{desk.path}/{{item}}", desk.look, "item.html")
        async def item(asked: Asked) -> Shown:
            """One item whole."""
            return await self._show(asked, desk)

    async def _list(self, asked: Asked, desk: Desk) -> Listing:
        query = {name: text.strip() for name, text in asked.request.query.items() if text.strip()}
        after = query.pop("after", None)
        keys = asked.site.keys
        selection = _selection(query, desk)
        next_ = Next(
            selection=selection,
            is_open=selection.state in (None, State.OPEN),
            after=place_of(keys, after) if after else None,
        )
        items, reached, missing = await self._worklist.next(desk.topic.name, next_)
        query = {name: text for name, text in query.items() if name in _FILTERS}
        may = asked.person.may(desk.decide) and next_.is_open
        return Listing(
            path=desk.path,
            title=desk.title,
            items=[line_of(keys, item, unmasked=asked.person.unmasked) for item in items],
            selection=query,
            next=None if reached is None else f"?{urlencode({**query, 'after': cursor(keys, reached)})}",
            missing=missing,
            choices={
                "kind": [*desk.kinds] if len(desk.kinds) > 1 else [],
                "reason": _reasons(desk),
                "state": [*State],
                "facility": self._facilities,
            },
            acts=_of_many(desk, selection.kind) if may else {},
        )

    async def _show(self, asked: Asked, desk: Desk) -> Whole:
        keys, person = asked.site.keys, asked.person
        name = id_of(keys, asked.names["item"])
        if person.unmasked:
            await asked.note(Did.LOOK, name_of(keys, name))
        item, missing = await self._worklist.item(desk.topic.name, name, whole=person.unmasked)
        if item is None:
            if missing:
                raise web.HTTPServiceUnavailable(reason="The worker that has it does not answer: try again")
            raise web.HTTPNotFound(reason="Nothing of this name is on the list")
        said = item.decision if desk.look is Right.PATIENTS or person.unmasked else None
        acts = ACTS[item.kind] if person.may(desk.decide) and item.state is State.OPEN else {}
        record = None if item.value is None else readable(item.value)
        hrefs, whose = Hrefs(self._site), item.patient if person.may(Right.PATIENTS) else None
        day = item.service_date
        editable = record is not None and len(item.value or b"") <= EDITABLE and is_text(item.value or b"")
        return Whole(
            path=desk.path,
            title=desk.title,
            line=line_of(keys, item, unmasked=person.unmasked),
            patient=masked(whose, person.unmasked),
            patient_href=hrefs.patient(whose) if whose else None,
            day_href=hrefs.day(whose, day) if whose and day and item.charge_id else None,
            detail=item.detail if person.unmasked or item.kind is not Kind.REFUSED_CHARGE else None,
            decided=explain(said) if said else [],
            events={name_of(keys, event): event for event in item.event_ids if event != item.id},
            others=[Other(masked(each, person.unmasked), hrefs.patient(each)) for each in item.others]
            if whose
            else [],
            charge_id=item.charge_id,
            record=record,
            editable=editable,
            before=await self._before(item, person.unmasked),
            blanks=_blanks(item) if "release" in acts and item.kind is Kind.HELD else [],
            acts={act: said for act, said in acts.items() if act != "correct" or editable},
            missing=missing,
        )

    async def _before(self, item: Item, unmasked: bool) -> list[Before]:
        heard = [*item.heard.values()][-HEARD:]
        given = await self._given([each.event_id for each in heard])
        told = []
        for each in heard:
            said = given.get(each.event_id)
            told.append(
                Before(
                    event_id=each.event_id,
                    outcome=each.outcome,
                    said=[REASONS[each.reason]] if each.reason else [],
                    command=said.command if said else None,
                    user=said.user if said else None,
                    time=said.time if said else None,
                    why=said.reason if said and unmasked else None,
                    filled=[field for field, _ in stated(said.fill)] if isinstance(said, Release) else [],
                )
            )
        return told

    async def _given(self, event_ids: list[str]) -> dict[str, Command]:
        """The commands that these events are, as far as they are still there."""
        found: dict[str, Order] = {}
        with suppress(PerdiemError, TimeoutError):
            async with asyncio.timeout(_WITHIN):
                found = await orders(self._site.settings, event_ids)
        return {event_id: said for event_id, said in found.items() if not isinstance(said, Ack)}


_WITHIN = 5.0
"""Seconds for reading who decided what before: the page is shown without it rather than not."""
_FILTERS = ("kind", "state", "reason", "facility", "source", "since", "until")
_TOGETHER = ("release", "reject", "redrive", "discard")
"""What can be done with several at once; a correction is of one."""


def _selection(query: Mapping[str, str], desk: Desk) -> Selection:
    """Raises ``HTTPBadRequest`` for what is no filter."""
    kind = _one_of(Kind, query, "kind")
    return Selection(
        kind=kind,
        state=_one_of(State, query, "state"),
        reason=_one_of(Reason, query, "reason"),
        facility=query.get("facility"),
        source=query.get("source"),
        since=_moment(query, "since"),
        until=_moment(query, "until"),
    )


def _one_of(among: type[S], query: Mapping[str, str], name: str) -> S | None:
    try:
        return among(query[name]) if name in query else None
    except ValueError:
        raise web.HTTPBadRequest(reason=f"{name}: one of {', '.join(among)} expected") from None


def _moment(query: Mapping[str, str], name: str) -> int | None:
    """Milliseconds since the epoch; UTC where no offset is given."""
    if name not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError:
        raise web.HTTPBadRequest(reason=f"{name}: a date or a date-time expected") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _reasons(desk: Desk) -> list[str]:
    if desk.kinds == (Kind.DEAD_LETTER,):
        return [Reason.UNREADABLE, Reason.RULE_FAILED]
    return [
        Reason.UNKNOWN_SOURCE,
        Reason.UNKNOWN_FACILITY,
        Reason.UNKNOWN_AUTHORITY,
        Reason.NO_MRN,
        Reason.NO_PROCEDURE_ID,
        Reason.NO_VERSION,
        Reason.NO_STREAM,
        Reason.NO_SERVICE_DATE,
        Reason.NO_CODE_ON_DATE,
        Reason.UNMAPPED_CODE,
        Reason.CONFLICTING_CODES,
        Reason.BAD_REVENUE_CODE,
        Reason.BEFORE_GO_LIVE,
        Reason.OUTSIDE_SETTINGS,
        Reason.UNREADABLE,
        Reason.ON_CLAIM,
    ]


def _of_many(desk: Desk, kind: Kind | None) -> dict[str, str]:
    """What can be done with several items at once: of several kinds the words would not be true of all."""
    kinds = desk.kinds if len(desk.kinds) == 1 else (kind,)
    return {act: said for each in kinds if each for act, said in ACTS[each].items() if act in _TOGETHER}


def _blanks(item: Item) -> list[Blank]:
    """What to ask for. Whoever does not know the hospital's charge code may know the service's own."""
    code = "code, " if item.reason is Reason.UNMAPPED_CODE and item.field != "code" else ""
    return blanks(f"{code}{item.field or ''}")


def is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def readable(value: bytes) -> str:
    """JSON with a line for each field, and every number as it was written; what is no text in hex."""
    try:
        return msgspec.json.format(value, indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return value.decode() if is_text(value) else value.hex(" ")


def mount(site: Site, worklist: Worklist, hrefs: Hrefs, facilities: Facilities) -> None:
    """Add ``/holds`` and ``/dead-letters``."""
    topics = Topics.of(site.settings)
    desks = Desks(site, worklist, hrefs, [facility.id for facility in facilities.facilities])
    waiting = (Kind.HELD, Kind.CORRECTION, Kind.CLAIMED, Kind.REFUSED_CHARGE, Kind.ALERT)
    desks.add(Desk("/holds", "Worklist", topics.held, Right.PATIENTS, Right.DECIDE, waiting))
    desks.add(
        Desk(
            "/dead-letters",
            "Dead letters",
            topics.dead_letters,
            Right.DEAD_LETTERS,
            Right.DEAD_LETTERS,
            (Kind.DEAD_LETTER,),
        )
    )
