"""The rule of a patient-day: each of the four services once per patient, per day.

    Standing units of a key = min(procedures that count for it, 1 + standing overrides of it).

What stands is a pure function of the set of statements; billing events are the difference of what
stands before and after, decisions the difference of what is true of each event. See docs/rule.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import BillingEvent, Decision, Kind, Outcome, Reason, Warning  # noqa: A004
from models.day import PatientDay as PatientDay
from models.day import decode_patient_day as decode_patient_day
from models.day import encode_patient_day as encode_patient_day
from models.decisions import Truth, decision
from models.procedures import SEPARATOR, ProcedureEvent
from models.statements import Procedure
from models.units import Written, require, settle, unit_key

Days = Mapping[date | None, PatientDay]
Slot = tuple[date | None, str]
"""Where units are: the service date and ``stream|service``."""


class Verdict(msgspec.Struct):
    """What one event brings about: the days that changed, billing events and decisions, in order."""

    days: list[PatientDay]
    billing_events: list[BillingEvent]
    decisions: list[Decision]
    stands: date | None
    """The service date of the day on which the event's procedure stands now."""


def gather(
    event: ProcedureEvent, stands: date | None, read: Callable[[date | None], PatientDay | None]
) -> dict[date | None, PatientDay]:
    """The days that ``decide`` needs for ``event``, as ``read`` finds them; new ones where it finds none.

    ``stands`` is where the last verdict said that the procedure stands; ``event.service_date`` if none did.
    """
    days = {day: read(day) or PatientDay(event.patient, day) for day in {event.service_date, stands}}
    if procedure := days[stands].procedures.get(event.procedure):
        for stated in [statement.service_date for statement in procedure.statements]:
            if stated is not None and stated not in days:
                days[stated] = read(stated) or PatientDay(event.patient, stated)
    return days


def decide(days: Days, event: ProcedureEvent) -> Verdict:
    """Apply one event to the days of its patient that it concerns: those that ``gather`` gives.

    They are not changed: what changes comes back in the verdict. Raises ``ValueError`` if the event
    counts but lacks what a charge needs, ``LookupError`` if its procedure goes to a day not given.
    """
    require(event)
    change = _change(days, event)
    after = _place(change)
    written = _settle(change, after)
    decisions = []
    for news in _news(change, days, after, written):
        procedure = news.day.procedures[news.name]
        sequence = procedure.decisions.get(news.event.event_id, 0) + 1
        counted = {**procedure.decisions, news.event.event_id: sequence}
        news.day.procedures[news.name] = replace(procedure, decisions=counted)
        known = change.known if news.name == change.name else ()
        told = news.billing_events(written)
        # What comes of other events is no repetition, whatever their number.
        repeated = sequence > 1 and news.event.event_id == event.event_id
        decisions.append(
            decision(news.event, sequence, event.event_id, news.truth, told, known, repeated=repeated)
        )
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
    """What an event does to its procedure ``name``: where it stood and what was said of it, then and now."""

    event: ProcedureEvent
    name: str
    here: PatientDay | None
    before: Procedure | None
    there: PatientDay
    after: Procedure
    left: Slot | None
    """The units that it counted for."""
    taken: Slot | None
    """The units that it counts for now."""

    @property
    def slots(self) -> Iterable[Slot]:
        """All units whose filling may change."""
        if self.after is self.before:
            return ()
        return {slot: None for slot in (self.left, self.taken) if slot}

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
    name = event.procedure
    here = next((day for day in days.values() if name in day.procedures), None)
    before = here.procedures[name] if here else None
    after = before.hear(event) if before else Procedure([event])
    stated = after.holder.service_date
    there = here if here and stated is None else days.get(stated)
    if there is None:
        if stated != event.service_date:
            raise LookupError("the day that the procedure goes back to is not given")
        there = PatientDay(event.patient, stated)
    return _Change(event, name, here, before, there, after, _slot(here, before), _slot(there, after))


def _slot(day: PatientDay | None, procedure: Procedure | None) -> Slot | None:
    key = unit_key(procedure.holder) if procedure else None
    return (day.service_date, key) if day and key else None


def _place(change: _Change) -> dict[date | None, PatientDay]:
    """Copies of the days that the procedure leaves and comes to, with it where it stands now."""
    name, here, there = change.name, change.here, change.there
    placed = {there.service_date: replace(there, procedures={**there.procedures, name: change.after})}
    if here and here.service_date != there.service_date:
        others = {other: procedure for other, procedure in here.procedures.items() if other != name}
        placed[here.service_date] = replace(here, procedures=others)
    return placed


def _settle(change: _Change, after: Days) -> list[Written]:
    """Settle the units that the procedure counted and counts for; all credits come first."""
    written: list[Written] = []
    for service_date, key in change.slots:
        day = after[service_date]
        units, told = settle(
            day.units.get(key, []),
            day.counting(key),
            1 + day.overrides.get(key, 0),
            change.name,
            change.event.event_id,
            change.corrected,
        )
        day.units = {**day.units, key: units}
        written += told
    written.sort(key=lambda each: each[1].kind is Kind.CHARGE)
    return written


class _News(NamedTuple):
    """What is true now of an event about procedure ``name``, which stands on ``day``."""

    day: PatientDay
    name: str
    event: ProcedureEvent
    truth: Truth

    def billing_events(self, written: list[Written]) -> tuple[str, ...]:
        """Ids of its procedure's billing events, told with the statement that holds."""
        if self.truth.outcome in (Outcome.SUPERSEDED, Outcome.REPEATED):
            return ()
        return tuple([billing_event.id for name, billing_event in written if name == self.name])


def _news(change: _Change, days: Days, after: Days, written: list[Written]) -> Iterator[_News]:
    """What is true of the event, then of every other event of which something else was true before."""
    event, name, here, before, *_ = change
    there = after[change.there.service_date]
    yield _News(there, name, event, _own_truth(change, there))
    if here and before and change.after is not before:
        for statement in before.statements:
            truth = there.truth(name, statement.event_id)
            if statement.event_id != event.event_id and truth != here.truth(name, statement.event_id):
                yield _News(there, name, statement, truth)
    for service_date, key in change.slots if written else ():
        day = after[service_date]
        for other, holder in day.counting(key).items():
            if other != name:
                truth = day.truth(other, holder.event_id)
                if truth != days[service_date].truth(other, holder.event_id):
                    yield _News(day, other, holder, truth)


def _own_truth(change: _Change, there: PatientDay) -> Truth:
    seen = change.before.said(change.event) if change.before else None
    if seen and seen.event_id != change.event.event_id:
        return Truth(Outcome.REPEATED, of=seen.event_id)
    truth = there.truth(change.name, change.event.event_id)
    if change.corrected and seen is None and change.after.holder is change.event:
        return truth._replace(outcome=Outcome.CORRECTED, reason=change.corrected)
    return truth
