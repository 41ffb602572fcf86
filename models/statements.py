"""Procedure: the statements of a source about one procedure that may still hold, highest first."""

import msgspec

from models.procedures import ProcedureEvent, VersionKind


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

    @property
    def holder(self) -> ProcedureEvent:
        """The highest statement: what is true of the procedure now."""
        return self.statements[0].event

    def said(self, event: ProcedureEvent) -> Statement | None:
        """The statement that says what ``event`` says, or is that very event, delivered again."""
        for statement in self.statements:
            if statement.event.event_id == event.event_id or _same_content(statement.event, event):
                return statement
        return None

    def hear(self, event: ProcedureEvent) -> "Procedure":
        """The procedure after ``event``: itself if that changes nothing, else a new one.

        The outcome is the same in whatever order the statements come. A content seen before stays with
        the event that brought it first; where only the message time orders, the lower time counts, so
        that a resend after a cancellation brings nothing back.
        """
        seen = self.said(event)
        if seen is None:
            kept = [*self.statements, Statement(event)]
        elif _by_message_time(event) and event.version < seen.event.version:
            earlier = msgspec.structs.replace(seen.event, version=event.version)
            kept = [statement for statement in self.statements if statement is not seen]
            kept.append(Statement(earlier, seen.decisions))
        else:
            return self
        kept.sort(key=lambda statement: statement.event.order, reverse=True)
        versioned = next((statement for statement in kept if not _by_message_time(statement.event)), None)
        kept = [
            statement for statement in kept if statement is versioned or _by_message_time(statement.event)
        ]
        unheard = seen is None and all(statement.event is not event for statement in kept)
        return self if unheard else Procedure(kept)


def _by_message_time(event: ProcedureEvent) -> bool:
    return event.version_kind is VersionKind.MESSAGE_TIME


def _same_content(one: ProcedureEvent, other: ProcedureEvent) -> bool:
    return (
        one.digest == other.digest
        and one.status is other.status
        and _by_message_time(one) == _by_message_time(other)
        and (one.version == other.version or _by_message_time(one))
    )
