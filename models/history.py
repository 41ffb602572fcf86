"""History: all that was said of one procedure under one patient, and the statement of it that holds."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from models.procedures import ProcedureEvent, VersionKind


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
    after a cancel renews nothing. Of statements that say the same, the first in the log stands for all,
    with what the settings made of it when it was last restated.
    """
    said: dict[str, History] = {}
    for statement in statements:
        history = said.setdefault(statement.procedure, {})
        first = history.setdefault(content(statement), Holding(statement.order, statement))
        order, held = min(first.order, statement.order), first.statement
        if statement.restatement > held.restatement:
            held = replace(statement, event_id=held.event_id)
        history[content(statement)] = Holding(order, held)
    return said


def holding(history: History) -> Holding:
    """The content that holds."""
    return max(history.values(), key=lambda held: held.order)


def highest(history: History) -> ProcedureEvent:
    """The statement that holds."""
    return holding(history).statement
