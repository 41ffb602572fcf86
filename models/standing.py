"""What should stand: the independent model that the audit and the property tests hold against the rule.

Written straight from the promise, for clarity, from the whole set of statements at once:

    Standing units of a key = min(procedures that count for it, 1 + standing overrides of it).

It shares nothing with ``models.patient_day`` but the shape of a statement.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from models.billing import BillingEvent
from models.codes import Service
from models.procedures import ProcedureEvent, Status, Stream, VersionKind


class Key(NamedTuple):
    """Key of a charge: what is reported once."""

    patient: str
    stream: Stream
    service: Service
    service_date: date

    @classmethod
    def of(cls, stated: ProcedureEvent | BillingEvent) -> "Key | None":
        """Key of a statement or of a charge; None where the statement leaves a part of it open."""
        if stated.stream is None or stated.service is None or stated.service_date is None:
            return None
        return cls(stated.patient, stated.stream, stated.service, stated.service_date)


class Standing(NamedTuple):
    """What should stand of one key."""

    units: int
    """How many charges."""
    counting: dict[str, ProcedureEvent]
    """The procedures that count for it, by procedure key, each with its highest statement."""


class Holding(NamedTuple):
    """The highest statement of a procedure, and the order by which it is the highest."""

    order: tuple[str, int, str]
    statement: ProcedureEvent


def highest(statements: Iterable[ProcedureEvent]) -> dict[str, Holding]:
    """By procedure key, the statement that holds; ``statements`` in the order of the log.

    A source that numbers or dates its statements says itself which is the highest. Where only the
    message time orders, a content counts from the first time it was sent: a resend does not renew it.
    Of statements that say the same, the first in the log stands for all.
    """
    seen: dict[str, dict[tuple[str, Status, str], Holding]] = {}
    for statement in statements:
        contents = seen.setdefault(statement.procedure, {})
        resent = statement.version_kind is VersionKind.MESSAGE_TIME
        content = (statement.digest, statement.status, "" if resent else statement.version)
        holding = contents.get(content)
        if holding is None:
            contents[content] = Holding(statement.order, statement)
        elif statement.order < holding.order:
            contents[content] = Holding(statement.order, holding.statement)
    return {
        procedure: max(contents.values(), key=lambda holding: holding.order)
        for procedure, contents in seen.items()
    }


def standing(
    statements: Iterable[ProcedureEvent], overrides: Mapping[Key, int] | None = None
) -> dict[Key, Standing]:
    """What should stand after ``statements``, all of a patient's and in the order of the log, by key.

    ``overrides``: how many units more than one a person allowed for a key. Keys for which no
    procedure counts are left out.
    """
    counting: dict[Key, dict[str, ProcedureEvent]] = {}
    for procedure, (_, statement) in highest(statements).items():
        key = Key.of(statement)
        if statement.counts and key is not None:
            counting.setdefault(key, {})[procedure] = statement
    allowed = overrides or {}
    return {
        key: Standing(min(len(procedures), 1 + allowed.get(key, 0)), procedures)
        for key, procedures in counting.items()
    }


SHOWN = sorted({*BillingEvent.__struct_fields__} & {*ProcedureEvent.__struct_fields__} - {"event_id"})
"""What a charge copies from its statement. The event id may lag: it moves only if one of these changed."""


def shows(charge: BillingEvent, statement: ProcedureEvent) -> list[str]:
    """Names of the fields in which ``charge`` does not show ``statement``: none, if it is right."""
    wrong = [field for field in SHOWN if getattr(charge, field) != getattr(statement, field)]
    named = (charge.procedure.source, charge.procedure.procedure_id)
    if named != (statement.source, statement.procedure_id):
        wrong.append("procedure")
    return wrong
