"""The state of a patient-day: what was said, what stands, and what is therefore true of each event."""

from datetime import date

import msgspec

from models.billing import Outcome
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
    overrides: dict[str, int] = {}
    """By ``stream|service``: second units that a person allowed."""
    opening: dict[str, int] = {}
    """By ``stream|service``: units that the former system charged before go-live."""

    def counting(self, key: str) -> dict[str, ProcedureEvent]:
        """The procedures that count for the units of ``key``, each with its highest statement."""
        return {
            name: holder
            for name, procedure in self.procedures.items()
            if unit_key(holder := procedure.statements[0]) == key
        }

    def truth(self, name: str, event_id: str) -> Truth:
        """What is true of an event about procedure ``name``, which stands on this day."""
        holder = self.procedures[name].holder
        if holder.event_id != event_id:
            return Truth(Outcome.SUPERSEDED, of=holder.event_id)
        key = unit_key(holder)
        if key is None:
            return not_counting(holder)
        standing = [(unit.procedure, unit.charge) for unit in self.units[key] if unit.charge]
        for procedure, charge in standing:
            if procedure == name:
                return Truth(Outcome.REPORTED, charge.reason, charge_id=charge.id, unit=charge.unit)
        return Truth(Outcome.ALREADY_REPORTED, covered_by=standing[0][1].procedure)


encode_patient_day = msgspec.json.Encoder().encode
decode_patient_day = decoder(PatientDay, "a patient-day", SCHEMA)
"""The day as ``encode_patient_day`` wrote it. Raises ``NewerSchemaError`` or ``msgspec.ValidationError``."""
