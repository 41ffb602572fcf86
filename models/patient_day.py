"""PatientDay, and the rule: each of the four services once per patient, per day.

    Standing units of a key = min(procedures that count for it, 1 + standing overrides of it).

What stands is a pure function of the set of statements; billing events are the difference of what
stands before and after, decisions the difference of what is true of each event. See docs/rule.md.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from models.billing import BillingEvent, Decision
from models.procedures import ProcedureEvent

SCHEMA = 1


class Statement(msgspec.Struct, omit_defaults=True):
    """One statement about a procedure that may still hold."""

    event: ProcedureEvent
    decisions: int = 0
    """How many decisions were made about its event: the sequence of the last one."""


class Procedure(msgspec.Struct, omit_defaults=True):
    """What was said of one procedure.

    Only the highest statement, except where nothing but the message time orders: there every
    distinct content stands once, at the lowest message time it was seen with.
    """

    statements: list[Statement]
    """Highest first."""


class Unit(msgspec.Struct, omit_defaults=True):
    """One reportable unit of a key."""

    sequence: int
    """Of its last billing event: odd while a charge stands."""
    charge: BillingEvent | None = None
    """The standing charge, whole, so that its credit can copy it."""
    procedure: str | None = None
    """Key of the procedure that fills the unit."""


class PatientDay(msgspec.Struct, omit_defaults=True):
    """All that is known of one patient on one service date (or on none: what was withdrawn unseen)."""

    patient: str
    service_date: date | None
    schema: int = SCHEMA
    procedures: dict[str, Procedure] = {}
    """By procedure key, in the order in which they first counted on this day."""
    units: dict[str, list[Unit]] = {}
    """By ``stream|service``."""
    overrides: dict[str, int] = {}
    """By ``stream|service``: second units that a person allowed."""


class Verdict(msgspec.Struct):
    """What one event brings about: the days that changed, billing events and decisions, in order."""

    days: list[PatientDay]
    billing_events: list[BillingEvent]
    decisions: list[Decision]


Days = Mapping[date | None, PatientDay]


def decide(days: Days, event: ProcedureEvent) -> Verdict:
    """Apply one event to the days of its patient that it concerns.

    ``days`` holds the day of ``event.service_date`` and the day where the procedure stands now, where
    they exist. They are not changed: what changes comes back in the verdict.
    """
    raise NotImplementedError
