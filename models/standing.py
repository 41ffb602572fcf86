"""What should stand: the independent model that the audit and the property tests hold against the rule.

Written straight from the promise, for clarity, from everything that was said at once:

    Standing units of a key =
        min(procedures that count for it, 1 + standing overrides of it) - standing openings of it.

It shares nothing with ``models.patient_day`` but the shapes of what is said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from datetime import date
from typing import NamedTuple

from models.billing import BillingEvent
from models.codes import Service
from models.entries import Opening, Override, item_of
from models.history import History, highest, histories, holding
from models.procedures import SEPARATOR, ProcedureEvent, Stream
from models.survivors import survivor
from models.told import Told


class Key(NamedTuple):
    """Key of a charge: what is reported once."""

    patient: str
    stream: Stream
    service: Service
    service_date: date

    @classmethod
    def of(cls, stated: ProcedureEvent | BillingEvent, patient: str | None = None) -> "Key | None":
        """Key of a statement or of a charge; None where the statement leaves a part of it open.

        ``patient``: whom the procedure counts for, if not whom it was stated for.
        """
        if stated.stream is None or stated.service is None or stated.service_date is None:
            return None
        return cls(patient or stated.patient, stated.stream, stated.service, stated.service_date)


class Standing(NamedTuple):
    """What should stand of one key."""

    units: int
    """How many charges."""
    counting: dict[str, ProcedureEvent]
    """The procedures that count for it, by procedure key, each with its highest statement."""


class Should(NamedTuple):
    """What should be, of a whole group of connected patients."""

    said: dict[str, History]
    """Of every procedure of which anything was said that has effect, by procedure key."""
    holds: dict[str, ProcedureEvent]
    """The statement of each that holds."""
    moved: set[str]
    """Procedures of which another patient has a higher statement."""
    whose: dict[str, str]
    """By procedure key: the patient whom it counts for, if it counts."""
    standing: dict[Key, Standing]
    allowed: Mapping[Key, int]
    """How many units a key may have before openings are taken off."""
    openings: Mapping[Key, int]
    expired: set[str]
    """Procedures, by key, of which anything lies on a day that is no longer kept."""
    forgotten: set[Key]
    """Keys that cannot be told: what was known of them, or of a procedure that touches them, is removed."""


def should(told: Told) -> Should:
    """What should be, when all that was told is taken in."""
    without_effect = told.without_effect
    said = histories(statement for statement in told.statements if item_of(statement) not in without_effect)
    holds = {procedure: highest(history) for procedure, history in said.items()}
    moved = _moved(said) - told.unmoved - told.stays.keys()
    whose = _whose(holds, told)
    counting: dict[Key, dict[str, ProcedureEvent]] = {}
    for procedure, statement in holds.items():
        key = Key.of(statement, whose[procedure])
        if statement.counts and key is not None and procedure not in moved:
            counting.setdefault(key, {})[procedure] = statement
    units = [told_of for told_of in told.units if _effect(told_of) not in without_effect]
    overrides = _given(told_of for told_of in units if isinstance(told_of, Override))
    openings = _given(told_of for told_of in units if isinstance(told_of, Opening))
    allowed = Counter({key: 1 + overrides[key] for key in {*counting, *overrides}})
    standing = {
        key: Standing(max(0, min(len(procedures), allowed[key]) - openings[key]), procedures)
        for key, procedures in counting.items()
    }
    expired = _expired(told, whose)
    forgotten = _forgotten(told, whose, expired)
    kept = {key: stands for key, stands in standing.items() if key not in forgotten}
    return Should(said, holds, moved, whose, kept, allowed, openings, expired, forgotten)


def standing(told: Told) -> dict[Key, Standing]:
    """What should stand, by key. Keys for which no procedure counts are left out, and forgotten ones."""
    return should(told).standing


def _moved(said: Mapping[str, History]) -> set[str]:
    """Of one procedure of a source whose ids are unique, all but the patient with the highest statement.

    Of equal statements that of the patient whose key sorts last holds: somebody must.
    """
    by_id: dict[tuple[str, str], list[tuple[tuple[str, int, str], str, str]]] = {}
    for procedure, history in said.items():
        order, statement = holding(history)
        if statement.unique:
            stated = by_id.setdefault((statement.source, statement.procedure_id), [])
            stated.append((order, statement.stated_patient, procedure))
    return {procedure for stated in by_id.values() for _, _, procedure in sorted(stated)[:-1]}


def _whose(holds: Mapping[str, ProcedureEvent], told: Told) -> dict[str, str]:
    hold = told.merged
    whose = {}
    for procedure, statement in holds.items():
        home = statement.stated_patient
        merged = told.unmerged.get(home) or survivor(home, hold)
        whose[procedure] = told.stays.get(procedure, merged)
    return whose


def _effect(told_of: Override | Opening) -> str:
    """The id under which it is parked if it would credit a charge that is on a claim."""
    return f"{'override' if isinstance(told_of, Override) else 'opening'}:{told_of.command}"


def _given(units: Iterable[Override | Opening]) -> Counter[Key]:
    """How many of each key stand: given, each name once, and not taken back, whichever came first."""
    given: set[tuple[Key, str]] = set()
    taken_back: set[tuple[Key, str]] = set()
    for unit in units:
        key = Key(unit.patient, unit.stream, unit.service, unit.service_date)
        (given if unit.stands else taken_back).add((key, unit.name))
    return Counter(key for key, _ in given - taken_back)


def _expired(told: Told, whose: Mapping[str, str]) -> set[str]:
    """Procedures of which anything lies before the watermark of whoever had it."""
    return {
        statement.procedure
        for statement in told.statements
        for patient in (_patients(statement, told, whose) if told.watermarks else ())
        if before(statement, told.watermarks.get(patient))
    }


def _forgotten(told: Told, whose: Mapping[str, str], expired: Set[str]) -> set[Key]:
    """Keys of every procedure of which anything lies before a watermark, under whatever patient.

    Once removed, a statement can no longer be known to be the highest: what was told after it may stand.
    """
    keys: dict[str, set[Key]] = {}
    names: set[str] = set()
    for statement in told.statements if expired else ():
        unique = SEPARATOR.join((statement.source, statement.procedure_id))
        name = unique if statement.unique else statement.procedure
        if statement.procedure in expired:
            names.add(name)
        for patient in _patients(statement, told, whose):
            key = Key.of(statement, patient)
            if key is not None:
                keys.setdefault(name, set()).add(key)
    return {key for name in names for key in keys.get(name, ())}


def _patients(statement: ProcedureEvent, told: Told, whose: Mapping[str, str]) -> set[str]:
    """Whoever has, or had, its procedure."""
    procedure, home = statement.procedure, statement.patient
    return {home, whose.get(procedure, home), *told.handed.get(procedure, ())}


def before(stated: ProcedureEvent | BillingEvent, watermark: date | None) -> bool:
    """Whether its service date is no longer kept."""
    return watermark is not None and stated.service_date is not None and stated.service_date < watermark


SHOWN = sorted({*BillingEvent.__struct_fields__} & {*ProcedureEvent.__struct_fields__} - {"event_id"})
"""What a charge copies from its statement. The event id may lag: it moves only if one of these changed."""


def shows(charge: BillingEvent, statement: ProcedureEvent) -> list[str]:
    """Names of the fields in which ``charge`` does not show ``statement``: none, if it is right."""
    wrong = [field for field in SHOWN if getattr(charge, field) != getattr(statement, field)]
    named = (charge.procedure.source, charge.procedure.procedure_id)
    if named != (statement.source, statement.procedure_id):
        wrong.append("procedure")
    return wrong
