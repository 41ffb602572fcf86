"""Episode: the course of a patient's therapy, from the collection of cells to their administration."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count

import msgspec

from models.billing import Outcome
from models.codes import Service
from models.episode import Episode, Missing, Step, episodes, steps_of
from models.explain import SERVICES, WARNINGS, explain
from streams.views.hrefs import Hrefs
from streams.views.known import Kept, Known
from streams.views.masking import Mask, mask_of
from streams.views.patient import Notice, notices
from streams.views.pictures import Lanes, Point, group_of, lanes
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site
from streams.views.workers import Missing as Unanswered

PATIENCE = 30
"""Days after which what should follow is missing: as of ``perdiem episode``."""


class Product(msgspec.Struct, frozen=True):
    """A product of a course; ``letter`` stands for it wherever it is masked."""

    letter: str
    id: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One procedure of a course."""

    service_date: date
    service: Service
    href: str
    facility: str | None
    stream: str | None
    code: str | None
    source: str
    procedure_id: str
    event_id: str
    products: list[str]
    """Letters."""
    outcome: Outcome
    performed: bool
    why: list[str]
    charge_id: str | None
    acknowledged: str | None

    @property
    def group(self) -> str:
        return group_of(self.outcome)


class Lacking(msgspec.Struct, frozen=True):
    """A service that is expected and not known."""

    service: Service
    said: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One course of therapy."""

    begins: date
    ends: date
    by_time: bool
    """Not everything shares a product: some of it was put here by its date."""
    products: list[Product]
    procedures: list[Done]
    lacking: list[Lacking]
    notices: list[str]

    @property
    def charged(self) -> int:
        return sum(done.charge_id is not None for done in self.procedures)

    @property
    def picture(self) -> Lanes:
        return picture(self)


class EpisodePage(msgspec.Struct, frozen=True, kw_only=True):
    """All courses of a patient, the latest first."""

    patient: str
    href: str
    notices: list[Notice]
    courses: list[Course]
    missing: list[Unanswered]


def picture(course: Course) -> Lanes:
    """A lane for each service; what shares a product is joined."""
    order = [*Service]
    points = [
        Point(
            lane=order.index(done.service),
            at=done.service_date.toordinal(),
            group=done.group,
            said=f"{done.service_date} {SERVICES[done.service]}: {done.why[0]}",
            text=" ".join(done.products),
            tie=tuple(done.products) if done.performed else (),
        )
        for done in course.procedures
    ]
    last = course.ends.toordinal()
    points += [
        Point(
            lane=order.index(lacking.service),
            at=last,
            group="missing",
            said=lacking.said,
            hollow=True,
            text="missing",
        )
        for lacking in course.lacking
    ]
    days = {done.service_date for done in course.procedures}
    ticks = {float(day.toordinal()): str(day) for day in days}
    return lanes([SERVICES[service] for service in order], points, ticks)


def courses(name: str, kept: Kept, hrefs: Hrefs, mask: Mask, today: date) -> list[Course]:
    """The courses of a patient as its ledger knows them; what is held at intake is not among it."""
    found = episodes(steps_of(kept.days), (), today, PATIENCE)
    return [_course(name, each, hrefs, mask) for each in reversed(found)]


def _course(name: str, episode: Episode, hrefs: Hrefs, mask: Mask) -> Course:
    letters = dict(zip(episode.products, _letters(), strict=False))
    shown = mask.products(episode.products)
    return Course(
        begins=episode.steps[0].on,
        ends=episode.steps[-1].on,
        by_time=episode.by_time,
        products=[Product(letter, each) for letter, each in zip(letters.values(), shown, strict=True)],
        procedures=[_done(name, step, letters, hrefs) for step in episode.steps],
        lacking=[Lacking(missing.service, _lacking(missing)) for missing in episode.missing],
        notices=[
            f"{WARNINGS[each.warning]} {_listed(each.dates)}: {SERVICES[each.service]}, "
            f"product {_listed([letters[product] for product in each.products])}"
            for each in episode.notices
        ],
    )


def _letters() -> Iterator[str]:
    for number in count():
        yield chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")


def _done(name: str, step: Step, letters: Mapping[str, str], hrefs: Hrefs) -> Done:
    statement, made = step.statement, step.decision
    return Done(
        service_date=step.on,
        service=step.service,
        href=hrefs.day(name, step.on),
        facility=statement.facility,
        stream=statement.stream,
        code=statement.code,
        source=statement.source,
        procedure_id=statement.procedure_id,
        event_id=statement.event_id,
        products=[letters[product] for product in statement.product_ids],
        outcome=made.outcome,
        performed=step.performed,
        why=explain(made),
        charge_id=step.charge.id if step.charge else None,
        acknowledged=step.acknowledged,
    )


def _lacking(missing: Missing) -> str:
    given = SERVICES[missing.given]
    return f"{SERVICES[missing.service].capitalize()} is missing: {given} was on {missing.since}."


def _listed(each: Sequence[object]) -> str:
    return ", ".join(map(str, each))


def mount(site: Site, known: Known, hrefs: Hrefs) -> None:
    """Add ``/episodes/{patient}``."""

    @site.page("/episodes/{patient}", Right.PATIENTS, "episode.html")
    async def episode(asked: Asked) -> Shown:
        """The courses of a patient's therapy."""
        name = hrefs.patient_of(asked.names["patient"])
        mask = await mask_of(asked, asked.names["patient"])
        kept, missing = await known.patient(name)
        return EpisodePage(
            patient=mask.patient(name),
            href=hrefs.patient(name),
            notices=[*notices(name, kept, hrefs)],
            courses=courses(name, kept, hrefs, mask, datetime.now(UTC).date()),
            missing=missing,
        )
