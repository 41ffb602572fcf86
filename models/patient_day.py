"""PatientDay, and the rule: each of the four services once per patient, per day.

    Standing units of a key = min(procedures that count for it, 1 + standing overrides of it).

What stands is a pure function of the set of statements; billing events are the difference of what
stands before and after, decisions the difference of what is true of each event. See docs/rule.md.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import BillingEvent, Decision, Kind, Outcome, Reason, Warning  # noqa: A004
from models.decisions import Truth, decision, not_counting
from models.procedures import SEPARATOR, ProcedureEvent
from models.statements import Procedure as Procedure
from models.statements import Statement as Statement
from models.units import Unit as Unit
from models.units import Written, settle, unit_key

SCHEMA = 1


class PatientDay(msgspec.Struct, omit_defaults=True):
    """All that is known of one patient on one service date (or on none: what was withdrawn unseen)."""

    patient: str
    service_date: date | None
    schema: int = msgspec.field(default_factory=lambda: SCHEMA)
    """Written even though it is the default: a later version must be able to tell."""
    procedures: dict[str, Procedure] = {}
    """By procedure key, in the order in which they came to this day."""
    units: dict[str, list[Unit]] = {}
    """By ``stream|service``."""
    overrides: dict[str, int] = {}
    """By ``stream|service``: second units that a person allowed."""

    def counting(self, key: str) -> dict[str, ProcedureEvent]:
        """The procedures that count for the units of ``key``, each with its highest statement."""
        holders = ((name, procedure.holder) for name, procedure in self.procedures.items())
        return {name: holder for name, holder in holders if unit_key(holder) == key}

    def truth(self, name: str, event_id: str) -> Truth:
        """What is true of an event about procedure ``name``, which stands on this day."""
        holder = self.procedures[name].holder
        if holder.event_id != event_id:
            return Truth(Outcome.SUPERSEDED, of=holder.event_id)
        key = unit_key(holder)
        if key is None:
            return not_counting(holder)
        charges = {unit.procedure: unit.charge for unit in self.units[key] if unit.charge is not None}
        if charge := charges.get(name):
            return Truth(Outcome.REPORTED, charge.reason, charge_id=charge.id, unit=charge.unit)
        return Truth(Outcome.ALREADY_REPORTED, covered_by=next(iter(charges.values())).procedure)


class Verdict(msgspec.Struct):
    """What one event brings about: the days that changed, billing events and decisions, in order."""

    days: list[PatientDay]
    billing_events: list[BillingEvent]
    decisions: list[Decision]
    stands: date | None
    """The service date of the day on which the event's procedure stands now."""


Days = Mapping[date | None, PatientDay]


class NewerSchemaError(ValueError):
    """A patient-day was written by a later version than this one."""


class _Schema(msgspec.Struct):
    schema: int


_decode_schema = msgspec.json.Decoder(_Schema).decode
_decode_day = msgspec.json.Decoder(PatientDay).decode
encode_day = msgspec.json.Encoder().encode


def decode_day(encoded: bytes) -> PatientDay:
    """The day as ``encode_day`` wrote it, by this version or an earlier one.

    Raises ``NewerSchemaError`` if a later version wrote it, ``msgspec.ValidationError`` if it is none.
    """
    schema = _decode_schema(encoded).schema
    if schema > SCHEMA:
        raise NewerSchemaError(f"a patient-day has schema {schema}, this version reads up to {SCHEMA}")
    return _decode_day(encoded)


def gather(
    event: ProcedureEvent, stands: date | None, read: Callable[[date | None], PatientDay | None]
) -> dict[date | None, PatientDay]:
    """The days that ``decide`` needs for ``event``, as ``read`` finds them; new ones where it finds none.

    ``stands`` is where the last verdict said that the procedure stands; ``event.service_date`` if none did.
    """
    dates = {event.service_date, stands}
    day = read(stands)
    if day and (procedure := day.procedures.get(event.procedure)):
        stated = (statement.event.service_date for statement in procedure.statements)
        dates.update(service_date for service_date in stated if service_date is not None)
    return {day: read(day) or PatientDay(event.patient, day) for day in dates}


def decide(days: Days, event: ProcedureEvent) -> Verdict:
    """Apply one event to the days of its patient that it concerns: those that ``gather`` gives.

    They are not changed: what changes comes back in the verdict. Raises ``ValueError`` if the event
    counts but lacks what a charge needs, ``LookupError`` if its procedure goes to a day not given.
    """
    unit_key(event)
    change = _change(days, event)
    after, written = _settle(change)
    decisions = []
    for news in [*_news(change, days, after, bool(written))]:
        own = news.name == event.procedure
        made = decision(
            news.statement.event,
            news.statement.decisions + 1,
            event.event_id,
            news.truth,
            news.billing_events(written),
            change.known if own else (),
        )
        decisions.append(made)
        _count(after, news, made.sequence)
    billing_events = [billing_event for _, billing_event in written]
    return Verdict([*after.values()], billing_events, decisions, change.there.service_date)


def warn(days: Days, refused: Decision) -> Decision:
    """``refused``, held or dead-lettered at intake, with a warning if its procedure has a standing charge.

    ``days`` holds the day on which the procedure stands, if any.
    """
    if refused.source is None or refused.procedure_id is None or refused.patient is None:
        return refused
    name = SEPARATOR.join((refused.source, refused.procedure_id, refused.patient))
    units = (unit for day in days.values() for units in day.units.values() for unit in units)
    charge = next((unit.charge for unit in units if unit.procedure == name), None)
    if charge is None:
        return refused
    warnings = (*refused.warnings, Warning.STANDING_CHARGE)
    return replace(refused, warnings=warnings, charge_id=charge.id)


class _Change(NamedTuple):
    """What an event does to its procedure: where it stood and what was said of it, before and after."""

    event: ProcedureEvent
    here: PatientDay | None
    before: Procedure | None
    there: PatientDay
    after: Procedure

    @property
    def left(self) -> tuple[date | None, str] | None:
        """The units that it counted for: service date, and ``stream|service``."""
        key = unit_key(self.before.holder) if self.before else None
        return (self.here.service_date, key) if self.here and key else None

    @property
    def taken(self) -> tuple[date | None, str] | None:
        """The units that it counts for now."""
        key = unit_key(self.after.holder)
        return (self.there.service_date, key) if key else None

    @property
    def slots(self) -> list[tuple[date | None, str]]:
        """All units that it concerns."""
        return [*dict.fromkeys(slot for slot in (self.left, self.taken) if slot)]

    @property
    def corrected(self) -> Reason | None:
        """How a procedure that counted and still counts was corrected."""
        if self.left is None or self.taken is None:
            return None
        return Reason.CONTENT_CORRECTED if self.left == self.taken else Reason.KEY_CORRECTED

    @property
    def known(self) -> tuple[ProcedureEvent, ...]:
        return (self.before.holder, self.after.holder) if self.before else ()


def _change(days: Days, event: ProcedureEvent) -> _Change:
    here = next((day for day in days.values() if event.procedure in day.procedures), None)
    before = here.procedures[event.procedure] if here else None
    after = before.hear(event) if before else Procedure([Statement(event)])
    stated = after.holder.service_date
    if stated is None and here:
        return _Change(event, here, before, here, after)
    there = days.get(stated)
    if there is None and stated != event.service_date:
        raise LookupError("the day that the procedure goes back to is not given")
    return _Change(event, here, before, there or PatientDay(event.patient, stated), after)


def _settle(change: _Change) -> tuple[dict[date | None, PatientDay], list[Written]]:
    """The days that change, and the billing events: all credits first."""
    event, here, there = change.event, change.here, change.there
    days: dict[date | None, PatientDay] = {}
    written: list[Written] = []
    if change.after is change.before:
        return days, written
    if here:
        others = {name: each for name, each in here.procedures.items() if name != event.procedure}
        days[here.service_date] = replace(here, procedures=others)
    days[there.service_date] = replace(there, procedures={**there.procedures, event.procedure: change.after})
    for service_date, key in change.slots:
        day = days[service_date]
        units, told = settle(
            day.units.get(key, []),
            day.counting(key),
            1 + day.overrides.get(key, 0),
            event.procedure,
            event.event_id,
            change.corrected,
        )
        day.units = {**day.units, key: units}
        written += told
    written.sort(key=lambda each: each[1].kind is Kind.CHARGE)
    return days, written


class _News(NamedTuple):
    """What is true now of an event about procedure ``name``."""

    day: PatientDay
    name: str
    statement: Statement
    truth: Truth

    def billing_events(self, written: list[Written]) -> tuple[str, ...]:
        """Ids of its procedure's billing events, told with its highest statement."""
        if self.truth.outcome in (Outcome.SUPERSEDED, Outcome.REPEATED):
            return ()
        return tuple(billing_event.id for name, billing_event in written if name == self.name)


def _news(change: _Change, days: Days, after: Days, written: bool) -> Iterator[_News]:
    """What is true of the event, then of every other event of which something else was true before."""
    event, here, before, *_ = change
    name = event.procedure
    there = after.get(change.there.service_date, change.there)
    kept = {statement.event.event_id: statement for statement in there.procedures[name].statements}
    yield _News(there, name, kept.get(event.event_id, Statement(event)), _own_truth(change, there))

    if here and before:
        for statement in before.statements:
            event_id = statement.event.event_id
            truth = there.truth(name, event_id)
            if event_id != event.event_id and truth != here.truth(name, event_id):
                yield _News(there, name, statement, truth)
    for service_date, key in change.slots if written else ():
        day = after[service_date]
        for other, holder in day.counting(key).items():
            truth = day.truth(other, holder.event_id)
            if other != name and truth != days[service_date].truth(other, holder.event_id):
                yield _News(day, other, day.procedures[other].statements[0], truth)


def _own_truth(change: _Change, there: PatientDay) -> Truth:
    event, before = change.event, change.before
    seen = before.said(event) if before else None
    if seen and seen.event.event_id != event.event_id:
        return Truth(Outcome.REPEATED, of=seen.event.event_id)
    truth = there.truth(event.procedure, event.event_id)
    if change.corrected and not seen and change.after.holder is event:
        return truth._replace(outcome=Outcome.CORRECTED, reason=change.corrected)
    return truth


def _count(after: dict[date | None, PatientDay], news: _News, sequence: int) -> None:
    """Note in the state that decision number ``sequence`` was made, if the statement may still hold."""
    day, event_id = news.day, news.statement.event.event_id
    statements = day.procedures[news.name].statements
    if all(statement.event.event_id != event_id for statement in statements):
        return
    if day.service_date not in after:
        after[day.service_date] = replace(day, procedures={**day.procedures})
    after[day.service_date].procedures[news.name] = Procedure(
        [
            replace(each, decisions=sequence) if each.event.event_id == event_id else each
            for each in statements
        ]
    )
