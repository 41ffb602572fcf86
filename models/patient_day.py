"""The rule of a patient-day: each of the four services once per patient, per day.

    Standing units of a key = min(procedures that count for it, 1 + standing overrides of it),
    less what the former system charged before go-live.

What stands is a pure function of what was said; billing events are the difference of what stands before
and after, decisions the difference of what is true of each event. See docs/rule.md.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator
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
from models.statements import Procedure, Told
from models.units import Unit, Written, require, settle, unit_key

Slot = tuple[date | None, str]
"""Where units are: the service date and ``stream|service``."""


class Made(msgspec.Struct):
    """A decision, the event that it is about, and what the last one about that said, if there was one."""

    decision: Decision
    event: ProcedureEvent
    former: Outcome | None


class Days:
    """The days of a patient: as they were, and as they become. What was read is not changed."""

    def __init__(
        self, patient: str, read: Callable[[date | None], PatientDay | None], kept_from: date | None = None
    ) -> None:
        self.patient = patient
        self.kept_from = kept_from
        self.changed: dict[date | None, PatientDay] = {}
        self._were: dict[date | None, PatientDay] = {}
        self._read = read

    def __getitem__(self, day: date | None) -> PatientDay:
        return self.changed.get(day) or self.was(day)

    def too_old(self, day: date | None) -> bool:
        """Whether a day is no longer kept."""
        return self.kept_from is not None and day is not None and day < self.kept_from

    def was(self, day: date | None) -> PatientDay:
        """The day before this entry; a new one where there is none."""
        found = self._were.get(day)
        if found is None:
            found = self._were[day] = self._read(day) or PatientDay(self.patient, day)
        return found

    def change(self, day: date | None) -> PatientDay:
        """A copy to be changed."""
        found = self.changed.get(day)
        if found is None:
            was = self.was(day)
            found = replace(was, procedures=dict(was.procedures), units=dict(was.units))
            self.changed[day] = found
        return found

    def acknowledged(self) -> Iterator[tuple[BillingEvent, int]]:
        """Standing charges that billing said anything of: each that became one (1), or ceased to be (-1)."""
        for day, now in self.changed.items():
            was = self.was(day).units
            for key, units in now.units.items():
                if units is not (before := was.get(key, [])):
                    then, these = _acknowledged(before), _acknowledged(units)
                    yield from ((these[charge], 1) for charge in these.keys() - then.keys())
                    yield from ((then[charge], -1) for charge in then.keys() - these.keys())


def _acknowledged(units: Iterable[Unit]) -> dict[str, BillingEvent]:
    return {unit.charge.id: unit.charge for unit in units if unit.charge and unit.acknowledged}


class Verdict(msgspec.Struct):
    """What one entry brings about at its patient's days, in order."""

    billing_events: list[BillingEvent]
    made: list[Made]

    @property
    def decisions(self) -> list[Decision]:
        return [made.decision for made in self.made]


def decide(
    days: Days,
    event: ProcedureEvent,
    stands: date | None,
    before: Procedure | None,
    noticed: Iterable[str] = (),
) -> Verdict:
    """Apply one statement to the days of its patient; they change in ``days``.

    ``before`` is its procedure as it was, on the day ``stands``; ``noticed`` are warnings. Raises
    ``ValueError`` if the event counts but lacks what a charge needs.
    """
    require(event)
    after = before.hear(event) if before else Procedure([event])
    change = put(days, event.procedure, stands if before else None, before, after)
    written = settle_units(days, change.slots, (change.name,), event.cause, change.corrected)
    own = _own_truth(change, event, days[change.there])
    known = (before.holder, after.holder) if before else ()
    made = [tell(days, change.there, change.name, event, own, event.cause, written, known, noticed)]
    if change.after is not change.before:
        made += changed_truths(days, change, event, event.cause, written)
    made += others(days, change.slots, (change.name,), event.cause, written)
    return Verdict([billing_event for _, billing_event in written], made)


class Change(NamedTuple):
    """What happens to procedure ``name``: where it stood and what was said of it, then and now."""

    name: str
    here: date | None
    before: Procedure | None
    there: date | None
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


def put(days: Days, name: str, here: date | None, before: Procedure | None, after: Procedure) -> Change:
    """Put a procedure where it stands now: on no day if its own is no longer kept.

    What no longer says a date stays where it was.
    """
    place = after.holder.service_date
    there = here if before and place is None else None if days.too_old(place) else place
    days.change(there).procedures[name] = after
    if before and here != there:
        del days.change(here).procedures[name]
    return Change(name, here, before, there, after, slot(here, before), slot(there, after))


def slot(day: date | None, procedure: Procedure | None) -> Slot | None:
    """The units that a procedure counts for, if it does."""
    key = unit_key(procedure.holder) if procedure and not procedure.moved else None
    return (day, key) if day and key else None


def settle_units(
    days: Days, slots: Iterable[Slot], changed: Collection[str], cause: str, why: Reason | None
) -> list[Written]:
    """Settle the units of ``slots``; all credits come first. For the rest see ``models.units.settle``."""
    written: list[Written] = []
    for service_date, key in slots:
        day = days.change(service_date)
        counting = day.counting(key)
        units, told = settle(
            day.units.get(key, []), counting, day.standing(key, len(counting)), changed, cause, why
        )
        day.units[key] = units
        written += told
    written.sort(key=lambda each: each[1].kind is Kind.CHARGE)
    return written


def tell(
    days: Days,
    day: date | None,
    name: str,
    event: ProcedureEvent,
    truth: Truth,
    cause: str,
    written: Iterable[Written] = (),
    known: tuple[ProcedureEvent, ...] = (),
    noticed: Iterable[str] = (),
) -> Made:
    """The next decision about ``event``: its number is counted with its procedure, ``name`` on ``day``."""
    procedures = days.change(day).procedures
    procedures[name], made = told(procedures[name], name, event, truth, cause, written, known, noticed)
    return made


def told(
    procedure: Procedure,
    name: str,
    event: ProcedureEvent,
    truth: Truth,
    cause: str,
    written: Iterable[Written] = (),
    known: tuple[ProcedureEvent, ...] = (),
    noticed: Iterable[str] = (),
) -> tuple[Procedure, Made]:
    """As ``tell``, of a procedure that stands nowhere: on its way to another patient."""
    last = procedure.decisions.get(event.event_id)
    sequence = max(last.sequence if last else 0, event.decided) + 1
    counted = {**procedure.decisions, event.event_id: Told(sequence, truth.outcome)}
    events: tuple[str, ...] = ()
    if truth.outcome not in (Outcome.SUPERSEDED, Outcome.REPEATED, Outcome.REJECTED, Outcome.HELD):
        # Told with the statement that holds.
        events = tuple([billing_event.id for owner, billing_event in written if owner == name])
    # What comes of other events is no repetition, whatever their number.
    repeated = sequence > 1 and cause == event.event_id
    decided = decision(event, sequence, cause, truth, events, known, noticed=noticed, repeated=repeated)
    return replace(procedure, decisions=counted), Made(decided, event, last.outcome if last else None)


def changed_truths(
    days: Days, change: Change, event: ProcedureEvent | None, cause: str, written: Iterable[Written]
) -> Iterator[Made]:
    """Decisions about statements of a procedure but ``event``, where something else is true of them now."""
    if change.before is None:
        return
    was, now = days.was(change.here), days[change.there]
    for statement in change.before.statements:
        if event is not None and statement.event_id == event.event_id:
            continue
        truth = now.truth(change.name, statement.event_id)
        if truth != was.truth(change.name, statement.event_id):
            holder = change.after.holder
            about = holder if holder.event_id == statement.event_id else statement
            yield tell(days, change.there, change.name, about, truth, cause, written)


def others(
    days: Days, slots: Iterable[Slot], changed: Container[str], cause: str, written: list[Written]
) -> Iterator[Made]:
    """Decisions about the procedures that count for the same units, where something else is true of them."""
    for service_date, key in slots if written else ():
        day = days[service_date]
        for name, holder in day.counting(key).items():
            if name not in changed:
                truth = day.truth(name, holder.event_id)
                if truth != days.was(service_date).truth(name, holder.event_id):
                    yield tell(days, service_date, name, holder, truth, cause, written)


def _own_truth(change: Change, event: ProcedureEvent, there: PatientDay) -> Truth:
    seen = change.before.said(event) if change.before else None
    if seen and seen.event_id != event.event_id:
        return Truth(Outcome.REPEATED, of=seen.event_id)
    truth = there.truth(change.name, event.event_id)
    news = seen is None or change.before is None or change.after.statements is not change.before.statements
    shown = truth.charge_id or truth.covered_by
    if change.corrected and news and shown and change.after.holder.event_id == event.event_id:
        return truth._replace(outcome=Outcome.CORRECTED, reason=change.corrected)
    return truth


def warn(days: Iterable[PatientDay], refused: Decision) -> Decision:
    """``refused``, held or dead-lettered at intake, with a warning if its procedure has a standing charge.

    ``days`` are those on which the procedure may stand.
    """
    if refused.source is None or refused.procedure_id is None or refused.patient is None:
        return refused
    name = SEPARATOR.join((refused.source, refused.procedure_id, refused.patient))
    units = (unit for day in days for units in day.units.values() for unit in units)
    charge = next((unit.charge for unit in units if unit.procedure == name), None)
    if charge is None:
        return refused
    warnings = (*refused.warnings, Warning.STANDING_CHARGE)
    return replace(refused, warnings=warnings, charge_id=charge.id)
