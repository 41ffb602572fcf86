"""Days: by service date what came in, what became of it, and what was charged; as pages and as files."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from models.facilities import Facilities
from models.reconciliation import Figures, Line, add, in_order, reconcile
from models.tally import Bucket
from streams.spreadsheet import rows
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site
from streams.views.tallied import Backwards, Days, Latest, Tallied
from streams.views.workers import Missing

NO_DATE = "no-date"
"""In a path: what is known of no service date."""
_SHOWN = 31
_MOST = 366
"""Dates in one file."""


class Listed(msgspec.Struct, frozen=True):
    """One service date; None: events of which none is known."""

    service_date: date | None
    figures: Figures
    closes: bool
    """Of each source of each facility: a surplus of one never makes up for a deficit of another."""

    @property
    def path(self) -> str:
        return f"/days/{self.service_date or NO_DATE}"


class DayList(msgspec.Struct, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """The latest dates of which anything was counted, the latest first."""

    facility: str | None
    first: date | None
    last: date | None
    facilities: list[str]
    days: list[Listed]
    before: date | None
    """There may be more before it; None: there is nothing."""
    missing: list[Missing]

    @property
    def most(self) -> int:
        """What the longest bar stands for."""
        sides = ((day.figures.came_in, sum(day.figures.outcomes.values())) for day in self.days)
        return max((max(each) for each in sides), default=0)

    def address(self, path: str = "/days", **more: date | None) -> str:
        """``path`` with what is asked for, and ``more``."""
        return _address(path, {"facility": self.facility, "from": self.first, "to": self.last, **more})

    @property
    def sheet(self) -> str:
        """Where the file of these days is, or of all from ``first`` on."""
        dates = [day.service_date for day in self.days if day.service_date]
        shown: dict[str, date | None] = {}
        if dates:
            shown = {"to": dates[0], "from": self.first or dates[-1]}
        return self.address("/days.csv", **shown)


class Part(msgspec.Struct, frozen=True):
    """What one source of one facility sent; None where that is not known."""

    facility: str | None
    source: str | None
    figures: Figures


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One service date: all of it, and each source of each facility."""

    service_date: date | None
    facility: str | None
    total: Figures
    closes: bool
    """As of ``Listed``."""
    sources: list[Part]
    missing: list[Missing]

    def address(self, path: str) -> str:
        return _address(path, {"facility": self.facility})


class DayPages:
    """What is asked of the workers, and shown."""

    def __init__(self, site: Site, tallied: Tallied, facilities: Facilities) -> None:
        self._site = site
        self._tallied = tallied
        self._facilities = sorted(facility.id for facility in facilities.facilities)

    async def days(self, asked: Asked) -> Shown:
        """The latest days that have something, or those that are asked for."""
        found = await self._latest(asked, _SHOWN, _before(asked))
        listed = [_listed(day, lines) for day, lines in found.days.items()]
        missing = found.missing
        if _any_date(asked):
            lines, unanswered = await self._one(asked, None)
            missing = sorted({*missing, *unanswered})
            if lines:
                listed.append(_listed(None, lines))
        return DayList(
            facility=_facility(asked),
            first=_date(asked, "from"),
            last=_date(asked, "to"),
            facilities=self._facilities,
            days=listed,
            before=found.down_to,
            missing=missing,
        )

    async def days_sheet(self, asked: Asked) -> Shown:
        """A row for each date, facility and source."""
        found = await self._latest(asked, _MOST)
        if found.down_to is not None:
            raise web.HTTPBadRequest(reason=f"from, to: expected at most {_MOST} dates in one file")
        lines = {bucket: line for day in found.days.values() for bucket, line in day.items()}
        missing = found.missing
        if _any_date(asked):
            undated, unanswered = await self._one(asked, None)
            lines, missing = lines | undated, [*missing, *unanswered]
        return _sheet("days", lines, missing)

    async def day(self, asked: Asked) -> Shown:
        """One service date, or what has none."""
        service_date = _named(asked)
        lines, missing = await self._one(asked, service_date)
        parts = [
            Part(bucket.facility, bucket.source, lines[bucket].told())
            for bucket in sorted(lines, key=in_order)
        ]
        listed = _listed(service_date, lines)
        return Day(
            service_date=service_date,
            facility=_facility(asked),
            total=listed.figures,
            closes=listed.closes,
            sources=parts,
            missing=missing,
        )

    async def day_sheet(self, asked: Asked) -> Shown:
        """A row for each facility and source."""
        lines, missing = await self._one(asked, _named(asked))
        return _sheet(asked.names["date"], lines, missing)

    async def _one(self, asked: Asked, day: date | None) -> tuple[dict[Bucket, Line], list[Missing]]:
        answers = await self._site.workers.ask(self._tallied.by_bucket, Days(day, day))
        lines, facility = reconcile(answers.found), _facility(asked)
        wanted = {bucket: line for bucket, line in lines.items() if facility in (None, bucket.facility)}
        return wanted, answers.missing

    async def _latest(self, asked: Asked, most: int, before: date | None = None) -> Latest:
        last = min((each for each in (_date(asked, "to"), before) if each), default=None)
        wanted = Backwards(_date(asked, "from"), last, _facility(asked))
        return await self._tallied.latest(self._site.workers, wanted, most)


def mount(site: Site, tallied: Tallied, facilities: Facilities) -> None:
    """Add the list of days and the days, each as a page and as a file; no patient is on any."""
    pages = DayPages(site, tallied, facilities)
    # The files first: to a path's pattern a date may end with anything.
    site.page("/days.csv", Right.WATCH, "days.html")(pages.days_sheet)
    site.page("/days/{date}.csv", Right.WATCH, "day.html")(pages.day_sheet)
    site.page("/days", Right.WATCH, "days.html")(pages.days)
    site.page("/days/{date}", Right.WATCH, "day.html")(pages.day)


def _listed(day: date | None, lines: Mapping[Bucket, Line]) -> Listed:
    total = Line(add(line.counts for line in lines.values()))
    return Listed(day, total.told(), not any(line.in_flight for line in lines.values()))


def _facility(asked: Asked) -> str | None:
    return asked.request.query.get("facility") or None


def _any_date(asked: Asked) -> bool:
    """Whether no dates are asked for: then what has none belongs to it."""
    return not any(asked.request.query.get(name) for name in ("from", "to", "before"))


def _date(asked: Asked, name: str) -> date | None:
    """Raises ``HTTPBadRequest``."""
    try:
        value = asked.request.query.get(name)
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise web.HTTPBadRequest(reason=f"{name}: a date expected, such as 2025-03-10") from None


def _before(asked: Asked) -> date | None:
    before = _date(asked, "before")
    return before if before in (None, date.min) else date.fromordinal(before.toordinal() - 1)


def _named(asked: Asked) -> date | None:
    """The date in the path. Raises ``HTTPNotFound``."""
    name = asked.names["date"]
    try:
        return None if name == NO_DATE else date.fromisoformat(name)
    except ValueError:
        raise web.HTTPNotFound from None


def _address(path: str, values: Mapping[str, object]) -> str:
    said = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{said}" if said else path


def _sheet(name: str, lines: Mapping[Bucket, Line], missing: Iterable[Missing]) -> web.Response:
    """RFC 4180. Raises ``HTTPServiceUnavailable``: in a file nobody would see that something is missing."""
    if unanswered := [*missing]:
        raise web.HTTPServiceUnavailable(
            reason=f"{len(unanswered)} partitions are not answered for now, and a file must hold all of them",
            headers={"Retry-After": "5"},
        )
    text = io.StringIO()
    csv.writer(text).writerows(rows(lines))
    return web.Response(
        text=text.getvalue(),
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="perdiem-{name}.csv"'},
    )
