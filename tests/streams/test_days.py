"""A day that does not close says so, and a file that is not whole is none."""

import re
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from models.billing import Outcome
from models.facilities import Authority, Facilities, Facility
from models.tally import IN, Bucket, Counts
from streams.views.days import Day, DayList, DayPages
from streams.views.person import Person
from streams.views.render import render
from streams.views.rights import Right, Role
from streams.views.site import Asked
from streams.views.tallied import Stretch, Tallied
from streams.views.workers import Answers, Missing

MONDAY = date(2025, 3, 10)
LAB, WARD = Bucket(MONDAY, "north", "lab"), Bucket(MONDAY, "<north>", "infusion")
FACILITIES = Facilities(
    authorities=(Authority(id="UH"),), facilities=(Facility(id="north", time_zone="America/New_York"),)
)
GONE = Missing("log", 3, "no worker owns it")


class Workers:
    """They answer with what was counted."""

    def __init__(self, counted: dict[Bucket, Counts], missing: list[Missing]) -> None:
        self._counted = [*counted.items()]
        self._missing = missing

    async def ask(self, question: Any, asked: Any) -> Answers[Any]:
        of_day = question.name == "tallies"
        return Answers([self._counted if of_day else Stretch(cast(Any, self._counted), None)], self._missing)


class Pages:
    def __init__(self, counted: dict[Bucket, Counts], missing: list[Missing] | None = None) -> None:
        site = SimpleNamespace(workers=Workers(counted, missing or []))
        self.pages = DayPages(cast(Any, site), Tallied([]), FACILITIES)

    @staticmethod
    def asked(**query: str) -> Asked:
        request = cast(Any, SimpleNamespace(query=query))
        person = Person("ada", Role.VIEWER)
        return Asked(cast(Any, None), request, person, "/days/{date}", {"date": str(MONDAY)})

    async def day(self) -> str:
        """Its text."""
        page = await self.pages.day(self.asked())
        assert isinstance(page, Day)
        return _text("day.html", page)

    async def days(self) -> str:
        page = await self.pages.days(self.asked(**{"from": "2025-03-01"}))
        assert isinstance(page, DayList)
        return _text("days.html", page)


def _text(template: str, page: Any) -> str:
    html = render(
        template, page=page, person=Person("ada", Role.VIEWER), rights=Right, path=f"/days/{MONDAY}"
    )
    assert "<north>" not in html
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize(
    ("lab", "ward", "of_day", "in_list"),
    [
        ({IN: 2}, {}, "It does not close: 2 events are in flight, with no outcome yet.", "2 in flight"),
        ({Outcome.HELD: 2}, {}, "It does not close: 2 more decided than came in.", "2 too many decided"),
        (
            {IN: 1},
            {Outcome.HELD: 1},
            "It does not close: a surplus of one source hides what another lacks.",
            "not of each source",
        ),
        ({IN: 1, Outcome.HELD: 1}, {}, "It closes: each event that came in has one outcome.", "closes"),
    ],
)
async def test_whether_the_equation_closes_is_said_plainly(
    lab: Counts, ward: Counts, of_day: str, in_list: str
) -> None:
    """Of the day and in the list; a surplus of one source never makes up for a deficit of another."""
    pages = Pages({LAB: lab, WARD: ward})
    assert of_day in (await pages.day()).split("Duplicates suppressed")[0]
    assert in_list in await pages.days()


async def test_a_page_says_what_is_missing_and_a_file_is_refused() -> None:
    """For in a spreadsheet nobody would see it."""
    pages = Pages({LAB: {IN: 1, Outcome.HELD: 1}}, [GONE])
    assert "no worker owns it: log[3]" in await pages.day()
    assert "no worker owns it: log[3]" in await pages.days()
    for sheet in (pages.pages.day_sheet, pages.pages.days_sheet):
        with pytest.raises(web.HTTPServiceUnavailable, match="a file must hold all of them"):
            await sheet(pages.asked())


async def test_a_file_of_too_many_dates_is_refused() -> None:
    """Rather than cut off: who asks learns to say from when to when."""
    many: dict[Bucket, Counts] = {
        LAB._replace(service_date=date.fromordinal(n)): {IN: 1} for n in range(700_000, 700_367)
    }
    with pytest.raises(web.HTTPBadRequest, match="at most 366 dates"):
        await Pages(many).pages.days_sheet(Pages.asked())
