"""What if: what would stand, and be true of each event, if another facilities file had always held.

Both sides come of the rule itself, applied in memory to everything that a patient's ledger was ever given, in
the order of the log: once as it was, once with each statement as the other file resolves it. So further
units, openings, merges, rulings and retention count on both sides as they do in the running ledger, and a
difference is one of the settings alone. The independent model of the audit would do as well, but tells only
how many units stand, not which procedure's statement they show.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from models.billing import BillingEvent, Outcome
from models.codes import Service
from models.entries import AnyEntry, Handover
from models.patient import Patient
from models.patient_day import PatientDay
from models.posting import post
from models.procedures import ProcedureEvent, Stream
from models.revision import Act, Revision
from models.units import SHOWN


class Effect(StrEnum):
    WOULD_STAND = "would_stand"
    WOULD_NOT_STAND = "would_not_stand"
    WOULD_DIFFER = "would_differ"


class Difference(NamedTuple):
    """One charge: of what would differ, as it would be."""

    effect: Effect
    charge: BillingEvent
    fields: tuple[str, ...] = ()
    """In which it would differ."""


class Played(NamedTuple):
    """What stands of a patient when a log was played, and what became of each event."""

    charges: dict[tuple[Stream, Service, date, int], BillingEvent]
    """By stream, service, service date and unit."""
    outcomes: dict[str, Outcome]


def play(log: Iterable[AnyEntry]) -> Played:
    """Apply the rule to the log of one patient. What it sends to others is in their own logs."""
    patient, outcomes = Patient(), dict[str, Outcome]()
    days: dict[date | None, PatientDay] = {}
    for entry in log:
        try:
            posting = post(patient, days.get, entry)
        except Exception:  # noqa: S112 - as in the ledger it is a dead letter, and the others go on
            continue
        patient = posting.patient
        days |= {day.service_date: day for day in posting.days}
        for removed in posting.removed:
            days.pop(removed, None)
        outcomes |= {made.event.event_id: made.decision.outcome for made in posting.made}
    units = (unit for day in days.values() for units in day.units.values() for unit in units)
    charges = {
        (charge.stream, charge.service, charge.service_date, charge.unit): charge
        for unit in units
        if (charge := unit.charge) is not None
    }
    return Played(charges, outcomes)


def revised(log: Iterable[AnyEntry], revisions: Sequence[Revision]) -> Iterator[AnyEntry]:
    """The log as it would be with the other file."""
    instead = {revision.event_id: revision for revision in revisions if revision.added is None}
    for entry in log:
        if isinstance(entry, ProcedureEvent):
            yield from _again([entry], instead)
        elif isinstance(entry, Handover) and entry.procedure.statements:
            statements = [*_again(entry.procedure.statements, instead)]
            if statements:
                yield replace(entry, procedure=replace(entry.procedure, statements=statements))
        else:
            yield entry
    yield from (revision.added for revision in revisions if revision.added is not None)


def differences(before: Played, after: Played) -> Iterator[Difference]:
    """The charges that differ. One that moves to another date, service or stream differs in that."""
    gone = {at: charge for at, charge in before.charges.items() if at not in after.charges}
    for at, charge in after.charges.items():
        former = before.charges.get(at)
        if former is None:
            place = next((place for place, each in gone.items() if each.procedure == charge.procedure), None)
            former = gone.pop(place) if place else None
        if former is None:
            yield Difference(Effect.WOULD_STAND, charge)
        elif fields := differing(former, charge):
            yield Difference(Effect.WOULD_DIFFER, charge, fields)
    for charge in gone.values():
        yield Difference(Effect.WOULD_NOT_STAND, charge)


def outcomes(
    before: Played, after: Played, revisions: Iterable[Revision]
) -> Iterator[tuple[str, Outcome, Outcome]]:
    """Event id, outcome as it is and as it would be, of every event of which they differ."""
    was, would_be = dict(before.outcomes), dict(after.outcomes)
    for revision in revisions:
        if revision.added is not None and revision.was is not None:
            was[revision.event_id] = revision.was
        elif revision.statement is None and revision.instead is not None:
            would_be[revision.event_id] = revision.instead
        elif revision.statement is None and revision.event_id not in would_be:
            was.pop(revision.event_id, None)  # told where it would be
    for event_id, outcome in would_be.items():
        if event_id in was and was[event_id] is not outcome:
            yield event_id, was[event_id], outcome


def _again(statements: Iterable[ProcedureEvent], instead: Mapping[str, Revision]) -> Iterator[ProcedureEvent]:
    for statement in statements:
        revision = instead.get(statement.event_id)
        if revision is None:
            yield statement
        elif revision.statement is not None:
            yield replace(
                revision.statement,
                patient=statement.patient,
                decided=statement.decided,
                because=statement.because,
                restated=statement.restated,
            )


def differing(former: BillingEvent, charge: BillingEvent) -> tuple[str, ...]:
    """The fields in which a charge differs from the one whose place it takes."""
    shown = [name for name in (*SHOWN, "procedure") if name != "event_id"]
    return tuple(sorted(name for name in shown if getattr(former, name) != getattr(charge, name)))


class Example(NamedTuple):
    """One event or charge that something is said of."""

    event_id: str
    patient: str | None
    what: str

    def told(self, *, patients: bool) -> dict[str, str | None]:
        whose = {"patient": self.patient} if patients else {}
        return {"event_id": self.event_id, "what": self.what, **whose}


@dataclass
class Report:
    """What would differ: how many of each, and the first few by event id."""

    file: str
    """Digest of the file."""
    examples: int = 5
    resolved: int = 0
    """Events whose record was resolved anew."""
    gone: int = 0
    """Events taken as they were resolved once: their record is no longer there, or was not readable."""
    charges: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By effect, facility and service."""
    fields: Counter[str] = field(default_factory=Counter)
    """In which charges would differ; one may differ in several."""
    outcomes: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    """Events by what became of them and what would."""
    acts: Counter[Act] = field(default_factory=Counter)
    """Events by what `--apply` does about them, or leaves."""
    seen: Counter[str] = field(default_factory=Counter)
    """By kind, how many there are of which ``found`` has the first."""
    found: dict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, example: Example) -> None:
        self.seen[kind] += 1
        if len(self.found[kind]) < self.examples:
            self.found[kind].append(example)

    def differs(self, difference: Difference) -> None:
        effect, charge, fields = difference
        self.charges[effect, charge.facility, charge.service] += 1
        self.fields.update(fields)
        what = f"{charge.code} on {charge.service_date} ({charge.stream})"
        self.add(effect, Example(charge.event_id, charge.patient, ", ".join((what, *fields))))

    def becomes(self, event_id: str, patient: str | None, was: Outcome, would_be: Outcome) -> None:
        self.outcomes[was, would_be] += 1
        self.add("outcome", Example(event_id, patient, f"{was} -> {would_be}"))

    def told(self, *, patients: bool = False) -> dict[str, object]:
        """For programs; patients' ids only where they are asked for."""
        return {
            "file": self.file,
            "resolved": self.resolved,
            "taken_as_they_are": self.gone,
            "charges": [
                {"effect": effect, "facility": facility, "service": service, "charges": count}
                for (effect, facility, service), count in sorted(self.charges.items())
            ],
            "fields": dict(sorted(self.fields.items())),
            "outcomes": [
                {"was": was, "would_be": would_be, "events": count}
                for (was, would_be), count in sorted(self.outcomes.items())
            ],
            "acts": {act.value: self.acts[act] for act in Act},
            "examples": {
                kind: [example.told(patients=patients) for example in examples]
                for kind, examples in self.found.items()
            },
        }
