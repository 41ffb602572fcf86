"""Sheet: a patient-day as a person reads it: a verdict for each service, and how it came to that."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from models.billing import Acknowledged, BillingEvent, Outcome, ProcedureRef, Reason
from models.billing import Warning as Noticed
from models.codes import Service
from models.day import PatientDay
from models.decisions import Truth, decision
from models.entries import AnyEntry, Moved, Opening, Override, Recall, item_of
from models.explain import OUTCOMES, REASONS, WARNINGS, charged, explain, rank
from models.explain import procedure as named
from models.patient import Patient
from models.procedures import SEPARATOR, ProcedureEvent, Stream
from models.products import notices
from models.statements import Procedure
from models.units import Unit
from streams.views.hrefs import Hrefs
from streams.views.masking import Mask
from streams.views.pictures import group_of

NO_MORE: Mapping[str, ProcedureEvent] = MappingProxyType({})
NONE = "none"
"""The state of a service of which nothing was said; the others are the groups of ``pictures``."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a service is charged: ``state`` for programs, ``said`` for people."""

    state: str
    said: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that stands, and what billing did with it."""

    billing_event: BillingEvent
    acknowledged: Acknowledged | None
    why: str


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that was credited."""

    charge_id: str
    cause: str
    """The event that brought it about."""
    why: str
    href: str | None
    """Its item on the worklist: billing had put it on a claim."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of the units. ``command`` is its id, ``event_id`` names its record."""

    kind: str
    command: str
    stands: bool
    event_id: str | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One statement about a procedure, and what became of it."""

    event_id: str
    outcome: Outcome
    holds: bool
    why: list[str]
    warnings: list[str] = []
    statement: ProcedureEvent | None
    """None: it is no longer needed, and only its place is known."""
    href: str | None = None
    """Its item on the worklist: it waits for a person."""

    @property
    def group(self) -> str:
        return group_of(self.outcome)


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of one procedure, in the order in which it came."""

    source: str
    procedure_id: str
    events: list[Event]
    moved: bool
    """Another patient has a higher statement of it."""
    merged: bool
    """It was stated of a patient that was merged into this one."""

    @property
    def truth(self) -> Event:
        return next(event for event in self.events if event.holds)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One service in one billing stream. What nobody named the service or stream of has none."""

    service: Service | None
    stream: Stream | None
    verdict: Verdict
    charges: list[Charge] = []
    taken_back: list[TakenBack] = []
    allowances: list[Allowance] = []
    procedures: list[Course] = []


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What would credit a charge that is on a claim, and waits for a person."""

    said: str
    href: str
    """Its item on the worklist."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A patient-day. Every service has a line, whatever is known of it."""

    service_date: date | None
    lines: list[Line]
    waiting: list[Waiting]


def unkept(day: PatientDay) -> list[str]:
    """Events of which the ledger no longer keeps what they said, for it can hold no more."""
    return [
        event_id
        for procedure in day.procedures.values()
        for event_id in procedure.decisions
        if all(event_id != each.event_id for each in (*procedure.statements, *procedure.rejected))
    ]


def sheet(
    day: PatientDay,
    patient: Patient,
    mask: Mask,
    hrefs: Hrefs,
    read: Mapping[str, ProcedureEvent] = NO_MORE,
) -> Sheet:
    """What is known of ``day``, of which ``patient`` keeps the rest; ``mask`` hides what must not be seen.

    ``read``: what was said by those that are ``unkept``, as far as it was read elsewhere.
    """
    courses: dict[tuple[Service | None, Stream | None], list[Course]] = {}
    for name, procedure in day.procedures.items():
        courses.setdefault(_about(procedure), []).append(_course(day, patient, name, mask, hrefs, read))
    keys = {*courses}
    for key in (*day.units, *day.overrides, *day.opening):
        stream, _, service = key.partition(SEPARATOR)
        keys.add((Service(service), Stream(stream)))
    known = {service for service, _ in keys}
    keys |= {(service, None) for service in Service if service not in known}
    lines = [
        _line(day, patient, *key, courses.get(key, []), mask, hrefs) for key in sorted(keys, key=_in_order)
    ]
    return Sheet(service_date=day.service_date, lines=lines, waiting=[*_waiting(day, patient, hrefs)])


def _in_order(key: tuple[Service | None, Stream | None]) -> tuple[int, str]:
    service, stream = key
    return ([*Service].index(service) if service else len(Service), stream or "")


def _about(procedure: Procedure) -> tuple[Service | None, Stream | None]:
    """A withdrawal may leave open what it withdraws: what was said before tells."""
    said = procedure.statements
    service = next((each.service for each in said if each.service is not None), None)
    return service, next((each.stream for each in said if each.stream is not None), None)


def _line(
    day: PatientDay,
    patient: Patient,
    service: Service | None,
    stream: Stream | None,
    courses: list[Course],
    mask: Mask,
    hrefs: Hrefs,
) -> Line:
    key = f"{stream}{SEPARATOR}{service}"
    units = day.units.get(key, [])
    charges = [
        Charge(
            billing_event=mask.of(unit.charge),
            acknowledged=unit.acknowledged,
            why=REASONS[unit.charge.reason],
        )
        for unit in units
        if unit.charge
    ]
    taken_back = [each for unit in units for each in _taken_back(unit, patient, hrefs)]
    return Line(
        service=service,
        stream=stream,
        verdict=_verdict(charges, taken_back, len(day.counting(key)), courses),
        charges=charges,
        taken_back=taken_back,
        allowances=[
            *_allowances("further unit", day.overrides.get(key, {}), patient),
            *_allowances("opening balance", day.opening.get(key, {}), patient),
        ],
        procedures=courses,
    )


def _verdict(
    charges: list[Charge], taken_back: list[TakenBack], counting: int, courses: list[Course]
) -> Verdict:
    if charges:
        acknowledged = [charge.acknowledged for charge in charges]
        return Verdict("charged", charged(acknowledged, counting - len(charges)))
    if not courses and taken_back:
        return Verdict("uncharged", "Not charged: the charge was taken back, and no procedure is here now.")
    if not courses:
        return Verdict(NONE, "No procedure of it is known on this day.")
    # What counts and is not charged says more than what does not count.
    order = ("duplicate", "waiting", "uncharged")
    events = sorted((course.truth for course in courses), key=lambda event: order.index(event.group))
    said = dict.fromkeys(" ".join(event.why[:2]) for event in events)
    return Verdict(events[0].group, " ".join(said))


def _taken_back(unit: Unit, patient: Patient, hrefs: Hrefs) -> Iterator[TakenBack]:
    items = {credited.charge_id: hrefs.item(item) for item, credited in patient.claimed.items()}
    for credited in unit.credited:
        yield TakenBack(
            charge_id=credited.charge_id,
            cause=credited.cause,
            why=REASONS[credited.reason],
            href=items.get(credited.charge_id),
        )


def _allowances(kind: str, given: Mapping[str, bool], patient: Patient) -> Iterator[Allowance]:
    for command, stands in given.items():
        heard = patient.commands.get(command)
        yield Allowance(kind=kind, command=command, stands=stands, event_id=heard.event_id if heard else None)


def _course(
    day: PatientDay,
    patient: Patient,
    name: str,
    mask: Mask,
    hrefs: Hrefs,
    read: Mapping[str, ProcedureEvent],
) -> Course:
    procedure = day.procedures[name]
    holder = procedure.holder
    known = {each.event_id: each for each in (*procedure.rejected, *procedure.statements)}
    parked = {
        entry.event_id: entry
        for entry in patient.parked.values()
        if isinstance(entry, ProcedureEvent) and entry.procedure == name and entry.command is None
    }
    events = [
        _event(day, patient, name, event_id, known.get(event_id), parked.get(event_id), mask, hrefs, read)
        for event_id in dict.fromkeys((*procedure.decisions, *known))
    ]
    return Course(
        source=holder.source,
        procedure_id=holder.procedure_id,
        events=events,
        moved=procedure.moved,
        merged=holder.stated_patient != day.patient,
    )


def _event(
    day: PatientDay,
    patient: Patient,
    name: str,
    event_id: str,
    statement: ProcedureEvent | None,
    parked: ProcedureEvent | None,
    mask: Mask,
    hrefs: Hrefs,
    read: Mapping[str, ProcedureEvent],
) -> Event:
    procedure = day.procedures[name]
    holder, told = procedure.holder, procedure.decisions.get(event_id)
    href = None
    if parked is not None and statement is None:
        statement, href, truth = parked, hrefs.item(item_of(parked)), Truth(Outcome.HELD, Reason.ON_CLAIM)
    elif statement is None:
        outcome = told.outcome if told else Outcome.REPEATED
        said = read.get(event_id)
        return Event(
            event_id=event_id,
            outcome=outcome,
            holds=False,
            why=[OUTCOMES[outcome]],
            statement=mask.of(said) if said else None,
        )
    else:
        truth = day.truth(name, event_id)
    holds = event_id == holder.event_id
    noticed = notices(patient.products, statement) if holds else ()
    sequence = told.sequence if told else 1
    made = decision(statement, sequence, event_id, truth, known=procedure.statements, noticed=noticed)
    why = explain(made, warnings=False)
    if any(each.event_id == event_id for each in procedure.statements):
        why.append(rank(statement, holder))
    if statement.because is not None:
        why.append(f"A person released or redrove it: {statement.because}.")
    if statement.command is not None:
        why.append("Settings were changed since it came, and a person had them applied to it.")
    if item_of(statement) in patient.ruled:
        why.append("A person ruled on it while a charge was on a claim.")
    return Event(
        event_id=event_id,
        outcome=made.outcome,
        holds=holds,
        why=why,
        warnings=[WARNINGS[Noticed(warning)] for warning in made.warnings],
        statement=mask.of(statement),
        href=href,
    )


def _waiting(day: PatientDay, patient: Patient, hrefs: Hrefs) -> Iterator[Waiting]:
    for item, entry in patient.parked.items():
        if (said := _parked(entry, day)) is not None:
            yield Waiting(said=said, href=hrefs.item(item))


def _parked(entry: AnyEntry, day: PatientDay) -> str | None:
    """What waits, if it is about this day."""
    match entry:
        case ProcedureEvent() if entry.procedure in day.procedures:
            return f"A correction of {_of(entry.procedure)} waits for a person."
        case Override() | Opening() if entry.service_date == day.service_date:
            what = "A further unit" if isinstance(entry, Override) else "An opening balance"
            return f"{what} that a person stated waits for a ruling."
        case Moved() if entry.procedure in day.procedures:
            return f"That {_of(entry.procedure)} belongs to another patient waits for a person."
        case Recall() if entry.name in day.procedures:
            return f"That {_of(entry.name)} goes back to its own patient waits for a person."
    return None


def _of(name: str) -> str:
    source, procedure_id, _ = name.split(SEPARATOR, 2)
    return named(ProcedureRef(source, procedure_id))
