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
from models.procedures import ProcedureEvent, Stream, VersionKind


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
    """A content of a procedure: where it stands among the others, and the statement that said it first."""

    order: tuple[str, int, str]
    statement: ProcedureEvent


def content(statement: ProcedureEvent) -> tuple[str, ...]:
    """What makes two statements about one procedure say the same.

    Where only the message time orders, a resend bears a new one: it is no part of the content.
    """
    resent = statement.version_kind is VersionKind.MESSAGE_TIME
    return (statement.digest, statement.status, "" if resent else statement.version)


History = dict[tuple[str, ...], Holding]
"""All that was said of one procedure, by content."""


def histories(statements: Iterable[ProcedureEvent]) -> dict[str, History]:
    """What was said of every procedure, by procedure key; ``statements`` in the order of the log.

    A content that was sent more than once stands where its lowest version puts it, so that a resend
    after a cancel renews nothing. Of statements that say the same, the first in the log stands for all.
    """
    said: dict[str, History] = {}
    for statement in statements:
        history = said.setdefault(statement.procedure, {})
        first = history.setdefault(content(statement), Holding(statement.order, statement))
        if statement.order < first.order:
            history[content(statement)] = first._replace(order=statement.order)
    return said


def highest(history: History) -> ProcedureEvent:
    """The statement that holds."""
    return max(history.values(), key=lambda holding: holding.order).statement


def standing(
    statements: Iterable[ProcedureEvent], overrides: Mapping[Key, int] | None = None
) -> dict[Key, Standing]:
    """What should stand after ``statements``, all of a patient's and in the order of the log, by key.

    ``overrides``: how many units more than one a person allowed for a key. Keys for which no
    procedure counts are left out.
    """
    counting: dict[Key, dict[str, ProcedureEvent]] = {}
    for procedure, history in histories(statements).items():
        statement = highest(history)
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
