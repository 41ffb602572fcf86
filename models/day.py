"""The state of a patient-day: what was said, what stands, and what is therefore true of each event."""

from datetime import date

import msgspec

from models.billing import Outcome, Reason
from models.decisions import Truth, not_counting
from models.procedures import ProcedureEvent
from models.schema import decoder
from models.statements import Procedure
from models.units import Unit, unit_key

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
    overrides: dict[str, dict[str, bool]] = {}
    """By ``stream|service`` and command: second units that a person allowed; False took one back."""
    opening: dict[str, dict[str, bool]] = {}
    """By ``stream|service`` and command: units that the former system charged before go-live."""

    @property
    def charge_ids(self) -> list[str]:
        """Of every charge that was ever made on this day."""
        units = [unit for units in self.units.values() for unit in units]
        standing = [unit.charge.id for unit in units if unit.charge]
        return standing + [credited.charge_id for unit in units for credited in unit.credited]

    def counting(self, key: str) -> dict[str, ProcedureEvent]:
        """The procedures that count for the units of ``key``, each with its highest statement."""
        return {
            name: holder
            for name, procedure in self.procedures.items()
            if unit_key(holder := procedure.statements[0]) == key and not procedure.moved
        }

    def standing(self, key: str, count: int) -> int:
        """How many units of ``key`` stand when ``count`` procedures count for it: the promise itself."""
        allowed = 1 + sum(self.overrides[key].values()) if key in self.overrides else 1
        charged = sum(self.opening[key].values()) if key in self.opening else 0
        return max(0, min(count, allowed) - charged)

    def truth(self, name: str, event_id: str) -> Truth:
        """What is true of an event about procedure ``name``, which stands on this day."""
        procedure = self.procedures[name]
        holder = procedure.holder
        if holder.event_id != event_id:
            if any(event.event_id == event_id for event in procedure.rejected):
                return Truth(Outcome.REJECTED, Reason.REJECTED_BY_PERSON)
            return Truth(Outcome.SUPERSEDED, of=holder.event_id)
        key = unit_key(holder)
        if key is None:
            return not_counting(holder)
        if self.service_date is None:
            return Truth(Outcome.EXPIRED)
        if procedure.moved:
            return Truth(Outcome.MOVED, Reason.MOVED_TO_PATIENT)
        charges = [(unit.procedure, unit.charge) for unit in self.units.get(key, ()) if unit.charge]
        for filler, charge in charges:
            if filler == name:
                return Truth(Outcome.REPORTED, charge.reason, charge_id=charge.id, unit=charge.unit)
        if not charges:
            return Truth(Outcome.ALREADY_REPORTED, Reason.OPENING_BALANCE)
        return Truth(Outcome.ALREADY_REPORTED, covered_by=charges[0][1].procedure)


encode_patient_day = msgspec.json.Encoder().encode
decode_patient_day = decoder(PatientDay, "a patient-day", SCHEMA)
"""The day as ``encode_patient_day`` wrote it. Raises ``NewerSchemaError`` or ``msgspec.ValidationError``."""
