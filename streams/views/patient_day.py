"""Patient-day: whether each service of one day is charged, and why."""

from collections.abc import Mapping

import msgspec

from models.procedures import SEPARATOR, ProcedureEvent
from streams.views.hrefs import Hrefs
from streams.views.known import Known
from streams.views.masking import mask_of
from streams.views.patient import Notice, notices
from streams.views.pictures import Lanes, Point, lanes
from streams.views.records import Records, RecordsError
from streams.views.render import moment
from streams.views.rights import Right
from streams.views.sheet import NO_MORE, Course, Sheet, sheet, unkept
from streams.views.site import Asked, Shown, Site
from streams.views.workers import Missing

_ASKED = 5
_READ = 10


class PatientDayPage(msgspec.Struct, frozen=True, kw_only=True):
    """A patient-day. Without a sheet where nothing is known of it."""

    patient: str
    href: str
    episodes: str
    notices: list[Notice]
    sheet: Sheet | None
    missing: list[Missing]

    @property
    def picture(self) -> Lanes | None:
        return picture(self.sheet) if self.sheet else None


def picture(sheet: Sheet) -> Lanes | None:
    """When what was said came in, a lane for each procedure; None where that would be a single point."""
    courses = [course for line in sheet.lines for course in line.procedures]
    points, ticks = [], {}
    for lane, course in enumerate(courses):
        for event in course.events:
            if event.statement is not None:
                at = event.statement.received / 1000
                said = f"{event.event_id}: {event.why[0]}"
                points.append(
                    Point(
                        lane=lane,
                        at=at,
                        group=event.group,
                        said=said,
                        hollow=not event.holds,
                        tie=(f"{course.source}{SEPARATOR}{course.procedure_id}",),
                    )
                )
                ticks[at] = moment(event.statement.received)[5:]
    if len(points) < 2:
        return None
    return lanes([_short(course) for course in courses], points, ticks)


def _short(course: Course) -> str:
    name = course.procedure_id
    return name if len(name) <= 20 else f"{name[:19]}…"


def mount(site: Site, known: Known, records: Records, hrefs: Hrefs) -> None:
    """Add ``/patient-days/{day}``; with ``?read`` what the ledger no longer keeps is read from its topic."""

    @site.page("/patient-days/{day}", Right.PATIENTS, "patient_day.html")
    async def patient_day(asked: Asked) -> Shown:
        """The four services of one day of a patient."""
        name, service_date = hrefs.day_of(asked.names["day"])
        mask = await mask_of(asked, asked.names["day"])
        kept, missing = await known.patient(name)
        day = kept.day(service_date)
        told = [*notices(name, kept, hrefs)]
        read: Mapping[str, ProcedureEvent] = NO_MORE
        if day is not None and "read" in asked.request.query:
            try:
                read = await records.statements(unkept(day)[:_READ])
            except RecordsError as error:
                told.append(Notice(f"{error}."))
        found = sheet(day, kept.patient, mask, hrefs, read) if day and kept.patient else None
        for course in _moved(found):
            patients, unanswered = await known.procedure(course.source, course.procedure_id)
            missing += unanswered
            said = f"Procedure {course.procedure_id} of {course.source} is another patient's."
            told += [Notice(said, hrefs.patient(other)) for other in patients if other != name]
        return PatientDayPage(
            patient=mask.patient(name),
            href=hrefs.patient(name),
            episodes=hrefs.episodes(name),
            notices=told,
            sheet=found,
            missing=sorted({*missing}),
        )


def _moved(found: Sheet | None) -> list[Course]:
    """Procedures that other patients have, the first few: each is asked for."""
    lines = found.lines if found else []
    return [course for line in lines for course in line.procedures if course.moved][:_ASKED]
