"""Procedure: the statements of a source about one procedure that may still hold, highest first."""

import msgspec

from models.procedures import ProcedureEvent, VersionKind


class Procedure(msgspec.Struct, omit_defaults=True):
    """What was said of one procedure.

    Only the highest statement, except where nothing but the message time orders: there every
    distinct content stands once, at the lowest message time it was seen with.
    """

    statements: list[ProcedureEvent]
    """Highest first."""
    decisions: dict[str, int] = {}
    """By event id, of every event ever heard: the sequence of its last decision. A replay goes on from it."""
    moved: bool = False
    """Another patient has a higher statement of it: then it does not count here."""

    @property
    def holder(self) -> ProcedureEvent:
        """The highest statement: what is true of the procedure now."""
        return self.statements[0]

    def said(self, event: ProcedureEvent) -> ProcedureEvent | None:
        """The statement that says what ``event`` says, or is that very event, delivered again."""
        for statement in self.statements:
            if statement.event_id == event.event_id or _same_content(statement, event):
                return statement
        return None

    def hear(self, event: ProcedureEvent) -> "Procedure":
        """The procedure after ``event``: itself if the same statements hold, else a new one.

        The outcome is the same in whatever order the statements come. A content seen before stays with
        the event that brought it first; where only the message time orders, the lower time counts, so
        that a resend after a cancellation brings nothing back. The very event again changes nothing, even
        if intake would order it otherwise by now.
        """
        seen = self.said(event)
        if seen is None:
            heard = [*self.statements, event]
        elif seen.event_id != event.event_id and event.version < seen.version:
            earlier = msgspec.structs.replace(seen, version=event.version)
            heard = [earlier if statement is seen else statement for statement in self.statements]
        else:
            return self
        heard.sort(key=lambda statement: statement.order, reverse=True)
        versioned = next((statement for statement in heard if not _by_message_time(statement)), None)
        kept = [each for each in heard if each is versioned or _by_message_time(each)]
        return self if kept == self.statements else msgspec.structs.replace(self, statements=kept)


def _by_message_time(event: ProcedureEvent) -> bool:
    return event.version_kind is VersionKind.MESSAGE_TIME


def _same_content(one: ProcedureEvent, other: ProcedureEvent) -> bool:
    return (
        one.digest == other.digest
        and one.status is other.status
        and _by_message_time(one) == _by_message_time(other)
        and (one.version == other.version or _by_message_time(one))
    )
