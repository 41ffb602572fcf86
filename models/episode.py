"""Episode: the course of one therapy, from the collection of cells to the administration of the product.

What belongs to one course is found in two steps.

1. **By product.** Procedures that state a common product id belong together, and whoever shares one with any
   of them. A donation (DIN) may name only one collection of several; a chain-of-identity id names the whole
   course, for "more than one donation may need to be collected" (ISBT 128 ST-028). Nobody compares the two
   but here: what states both ties them.
2. **By time**, what shares no product: sites name a product by ids of their own, or by none. Going by the
   first date of each, it is taken to continue the course that began last, unless it cannot:
   a collection after an administration begins another course; so does one more than ``COLLECTING`` days
   after the last (1 to 4 days are normal; later, the manufacture failed and begins anew); and so does
   anything more than ``LASTING`` days after the last that is known of the course.

It is a view for a person: nothing is charged or held by it, and a person may see at once where it errs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from models.billing import Acknowledged, BillingEvent, Decision, Outcome, Warning  # noqa: A004
from models.codes import Service
from models.day import PatientDay
from models.decisions import decision
from models.procedures import ProcedureEvent, Status
from models.products import Products, across_days, changed

COURSE = {service: stage for stage, service in enumerate(Service)}
"""The four services in the order in which a course goes through them."""
COLLECTING = 14
"""Days between two collections of one course at most. No source gives a limit; 1 to 4 days of collection
were seen of 134 patients (domain: nature.com/articles/s41408-024-01038-2)."""
LASTING = 365
"""Days without anything known after which a course is over: the filing limit of its last claim has passed."""
EXPECTED = (
    (Service.ADMINISTRATION, Service.RECEIPT),
    (Service.COLLECTION, Service.TRANSPORT),
    (Service.TRANSPORT, Service.RECEIPT),
    (Service.RECEIPT, Service.ADMINISTRATION),
)
"""Where the first was performed, the second is expected. Of an administration at once: what is given was
received; of the others in time, for the cells may wait frozen, and some are never given."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One procedure as it stands now."""

    statement: ProcedureEvent
    """The highest: the one that holds."""
    decision: Decision
    """What is true of it."""
    charge: BillingEvent | None = None
    """The standing charge, if it fills a unit."""
    acknowledged: Acknowledged | None = None
    """What billing said of that charge last."""

    @property
    def performed(self) -> bool:
        """On this patient. Whether it is charged is another question."""
        elsewhere = (Outcome.MOVED, Outcome.MERGED)
        return self.statement.status is Status.PERFORMED and self.decision.outcome not in elsewhere

    @property
    def on(self) -> date:
        assert self.statement.service_date is not None
        return self.statement.service_date

    @property
    def service(self) -> Service:
        assert self.statement.service is not None
        return self.statement.service


class Notice(NamedTuple):
    """What a person may want to look at, across days. It never blocks."""

    warning: Warning
    service: Service
    dates: tuple[date, ...]
    products: tuple[str, ...]


class Missing(NamedTuple):
    """A service that is expected and not known."""

    service: Service
    given: Service
    """The one performed that lets it be expected."""
    since: date
    """When that was performed last."""
    waiting: tuple[str, ...]
    """Events of this service that are held or dead letters."""


class Episode(NamedTuple):
    """One course: its procedures by date, what is missing of it, and what to look at."""

    steps: tuple[Step, ...]
    products: tuple[str, ...]
    by_time: bool
    """Not everything shares a product id: some of it was put here by its date."""
    missing: tuple[Missing, ...]
    notices: tuple[Notice, ...]


def steps_of(days: Iterable[PatientDay]) -> list[Step]:
    """Every procedure of a patient's days that is one of the four services and has a date."""
    steps = []
    for day in days:
        units = {unit.charge.id: unit for units in day.units.values() for unit in units if unit.charge}
        for name, procedure in day.procedures.items():
            holder = procedure.holder
            if holder.service is None or holder.service_date is None:
                continue
            known = procedure.decisions.get(holder.event_id)
            truth = day.truth(name, holder.event_id)
            unit = units.get(truth.charge_id) if truth.charge_id else None
            steps.append(
                Step(
                    statement=holder,
                    decision=decision(holder, known.sequence if known else 1, holder.event_id, truth),
                    charge=unit.charge if unit else None,
                    acknowledged=unit.acknowledged if unit else None,
                )
            )
    return steps


def episodes(steps: Iterable[Step], waiting: Sequence[Decision], today: date, patience: int) -> list[Episode]:
    """The courses of one patient, the earliest first.

    ``waiting``: the latest decisions on events of the patient that are held or dead letters. ``patience``:
    days after which what should follow is missing.
    """
    courses = _by_time(_by_product(steps))
    return [
        Episode(
            steps=tuple(sorted(course, key=_in_order)),
            products=tuple(sorted({product for step in course for product in step.statement.product_ids})),
            by_time=parts > 1,
            missing=tuple(missing(course, waiting, today, patience)),
            notices=tuple(notices(course)),
        )
        for course, parts in courses
    ]


def notices(steps: Iterable[Step]) -> Iterator[Notice]:
    """What was performed, charged or not, and is to be noticed now that all of it is known."""
    performed = [step for step in steps if step.performed]
    products: Products = {}
    for step in performed:
        products = changed(products, None, step.statement)
    noticed: defaultdict[tuple[Warning, Service, tuple[str, ...]], set[date]] = defaultdict(set)
    for step in performed:
        for warning, ids in across_days(products, step.service, step.on, step.statement.product_ids):
            noticed[warning, step.service, ids].add(step.on)
    for (warning, service, ids), dates in sorted(noticed.items()):
        yield Notice(warning, service, tuple(sorted(dates)), ids)


def missing(
    steps: Iterable[Step], waiting: Iterable[Decision], today: date, patience: int
) -> Iterator[Missing]:
    """The services that are expected of a course and that nobody stated as performed, each once."""
    last: dict[Service, date] = {}
    for step in steps:
        if step.performed:
            last[step.service] = max(step.on, last.get(step.service, step.on))
    told = set()
    for given, expected in EXPECTED:
        if given not in last or expected in last or expected in told:
            continue
        passed = any(COURSE[service] > COURSE[expected] for service in last)
        if passed or (today - last[given]).days >= patience:
            told.add(expected)
            held = tuple(sorted(made.event_id for made in waiting if made.service is expected))
            yield Missing(expected, given, last[given], held)


def _by_product(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps that are tied by common product ids, each alone that states none."""
    groups: list[tuple[set[str], list[Step]]] = []
    for step in steps:
        products, group = {*step.statement.product_ids}, [step]
        apart = []
        for others, tied in groups:
            if products & others:
                products |= others
                group = tied + group
            else:
                apart.append((others, tied))
        groups = [*apart, (products, group)]
    return [group for _, group in groups]


def _by_time(groups: Iterable[list[Step]]) -> list[tuple[list[Step], int]]:
    """Courses, and of how many groups each was made."""
    courses: list[tuple[list[Step], int]] = []
    for group in sorted(groups, key=lambda group: min(map(_in_order, group))):
        if courses and _continues(courses[-1][0], group):
            course, parts = courses[-1]
            courses[-1] = (course + group, parts + 1)
        else:
            courses.append((group, 1))
    return courses


def _continues(course: Collection[Step], group: Collection[Step]) -> bool:
    begins = min(step.on for step in group)
    if (begins - max(step.on for step in course)).days > LASTING:
        return False
    collected = _dates(group, Service.COLLECTION)
    if not collected:
        return True
    if any(given < collected[0] for given in _dates(course, Service.ADMINISTRATION)):
        return False
    before = [day for day in _dates(course, Service.COLLECTION) if day <= collected[0]]
    return not before or (collected[0] - before[-1]).days <= COLLECTING


def _dates(steps: Iterable[Step], service: Service) -> list[date]:
    return sorted(step.on for step in steps if step.service is service and step.performed)


def _in_order(step: Step) -> tuple[date, int, str, str]:
    statement = step.statement
    return (step.on, COURSE[step.service], statement.stream or "", statement.event_id)
