"""Account: everything in the topics about a group of connected patients."""

from dataclasses import dataclass, field
from typing import NamedTuple

from models.billing import BillingEvent, Decision
from models.commands import Command
from models.day import PatientDay
from models.entries import AnyEntry
from models.procedures import ProcedureEvent
from models.worklist import Item


class Spoken(NamedTuple):
    """A record of people's commands."""

    event_id: str
    command: Command | None
    """With its patients normalised; None: it cannot be read, or a patient of it is of no known authority."""
    normal: bool = True
    """False: nobody could say whether its patients are known, they are as stated."""


@dataclass
class Account:
    """Of one patient, or of all that merges and moves connect; the records of each patient in the order
    of their log."""

    procedures: list[AnyEntry | Decision] = field(default_factory=list)
    """Canonical statements, every other entry, and what intake decided of a procedure that it could name."""
    decisions: list[Decision] = field(default_factory=list)
    billing_events: list[BillingEvent] = field(default_factory=list)
    days: list[PatientDay] | None = None
    """What the ledger keeps of the patients now; None leaves it out of the audit."""
    commands: list[Spoken] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    """What waits for a person beside held events and dead letters, as it was when it came."""

    @property
    def statements(self) -> list[ProcedureEvent]:
        """As intake passed them on. What a home sent on to a survivor is a copy, in another order perhaps."""
        return [
            record
            for record in self.procedures
            if isinstance(record, ProcedureEvent) and record.patient == record.stated_patient
        ]
