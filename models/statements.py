"""Procedure: the statements of a source about one procedure that may still hold, highest first."""

import msgspec
from msgspec.structs import replace

from models.billing import Outcome
from models.procedures import ProcedureEvent, VersionKind


class Told(msgspec.Struct, array_like=True, frozen=True):
    """The last decision about an event: its number and what it said."""

    sequence: int
    outcome: Outcome


class Procedure(msgspec.Struct, omit_defaults=True):
    """What was said of one procedure.

    Only the highest statement, with two exceptions. Where nothing but the message time orders, every distinct
    content stands once, at the lowest message time it was seen with. And once a statement that counted is no
    longer the highest, all stay: a person may reject what took its place.
    """

    statements: list[ProcedureEvent]
    """Highest first."""
    decisions: dict[str, Told] = {}
    """By event id, of every event ever heard. A replay goes on from its number."""
    moved: bool = False
    """Another patient has a higher statement of it: then it does not count here."""
    moved_at: int = 0
    """Of the last news of that."""
    moved_by: str | None = None
    """The event that moved it away, while it is."""
    replaced: list[ProcedureEvent] = []
    """What statements said before they were restated, or would have said: a person may reject what holds."""
    resent: list[ProcedureEvent] = []
    """Where only the message time orders: a statement as it came, and its resends that lowered it: a person
    may reject one."""
    rejected: list[ProcedureEvent] = []
    """Statements that a person rejected: the same content again is rejected, too."""
    news: int = 0
    """How often ``identity`` was told of the highest statement."""
    hands: int = 0
    """How often it was handed from patient to patient."""

    @property
    def holder(self) -> ProcedureEvent:
        """The highest statement: what is true of the procedure now."""
        return self.statements[0]

    def said(self, event: ProcedureEvent) -> ProcedureEvent | None:
        """The statement that says what ``event`` says, or is that very event, delivered again."""
        heard = (*self.statements, *self.rejected)
        for statement in heard:
            if statement.event_id == event.event_id:
                return statement
        for statement in heard:
            if _same_content(statement, event):
                return statement
        return None

    def hear(self, event: ProcedureEvent) -> "Procedure":
        """The procedure after ``event``: itself if the same statements hold, else a new one.

        The outcome is the same in whatever order the statements come. A content seen before stays with
        the event that brought it first; where only the message time orders, the lower time counts, so
        that a resend after a cancellation brings nothing back. The very event again changes nothing, even
        if intake would order it otherwise by now, unless a person had changed settings applied to it.
        """
        seen = self.said(event)
        if seen is None:
            return self._holding([*self.statements, event])
        if event.restated:
            return self._restate(seen, event)
        if seen.event_id != event.event_id:
            return self._resend(seen, event)
        return self

    def reject(self, event: ProcedureEvent) -> "Procedure":
        """The procedure without the statement ``event``, which a person rejected; never the only one.

        What was restated says again what it said before, unless it was restated once more since then.
        """
        if all(each.event_id != event.event_id for each in self.statements):
            return self._reject_resend(event)
        former = [each for each in self.replaced if each.event_id == event.event_id]
        if event.restated and event in former:
            return replace(self, replaced=[each for each in self.replaced if each != event])
        if event.restated and former:
            before = max(former, key=lambda each: each.restatement)
            others = [
                replace(before, version=each.version) if each.event_id == event.event_id else each
                for each in self.statements
            ]
            return replace(
                self._holding(others), replaced=[each for each in self.replaced if each is not before]
            )
        others = [statement for statement in self.statements if statement.event_id != event.event_id]
        if not others:
            return self
        replaced = [each for each in self.replaced if each.event_id != event.event_id]
        return replace(self._holding(others), replaced=replaced, rejected=[*self.rejected, event])

    def _restate(self, seen: ProcedureEvent, event: ProcedureEvent) -> "Procedure":
        """The procedure with ``seen`` as ``event`` restates it; the lower of the two is kept beside it."""
        # As told before: downstream knows the statement by the event that brought it.
        again = replace(
            event,
            event_id=seen.event_id,
            received=seen.received,
            version=min(seen.version, event.version),
            counted=seen.bucket,
        )
        told = {each.restatement for each in (seen, *self.replaced) if each.event_id == seen.event_id}
        if again.restatement in told or all(each is not seen for each in self.statements):
            return self
        if again.restatement < seen.restatement:
            return replace(self, replaced=[*self.replaced, again])
        heard = [again if statement is seen else statement for statement in self.statements]
        return replace(self._holding(heard), replaced=[*self.replaced, seen])

    def _resend(self, seen: ProcedureEvent, event: ProcedureEvent) -> "Procedure":
        """The procedure with ``seen``, which ``event`` says again, at the lowest message time of all."""
        times = [each for each in self.resent if _same_content(each, event)]
        first = times[0] if times else seen
        known = any(each.event_id == event.event_id for each in times)
        if known or event.version >= first.version or all(each is not seen for each in self.statements):
            return self
        resent = [*self.resent, event] if times else [*self.resent, seen, event]
        return self._timed(event, resent)

    def _reject_resend(self, event: ProcedureEvent) -> "Procedure":
        resent = [each for each in self.resent if each.event_id != event.event_id]
        if len(resent) == len(self.resent):
            return self
        return replace(self._timed(event, resent), rejected=[*self.rejected, event])

    def _timed(self, content: ProcedureEvent, resent: list[ProcedureEvent]) -> "Procedure":
        """The procedure with the statement of that content at the lowest time of those ``resent``."""
        lowest = min(each.version for each in resent if _same_content(each, content))
        statements = [
            replace(each, version=lowest) if _same_content(each, content) and each.version != lowest else each
            for each in self.statements
        ]
        return replace(self._holding(statements), resent=resent)

    def _holding(self, statements: list[ProcedureEvent]) -> "Procedure":
        statements.sort(key=lambda statement: statement.order, reverse=True)
        versioned = [statement for statement in statements if not _by_message_time(statement)]
        below = versioned[1:]
        if below and not any(statement.counts for statement in below):
            statements = [each for each in statements if each is versioned[0] or _by_message_time(each)]
        return self if statements == self.statements else replace(self, statements=statements)


def _by_message_time(event: ProcedureEvent) -> bool:
    return event.version_kind is VersionKind.MESSAGE_TIME


def _same_content(one: ProcedureEvent, other: ProcedureEvent) -> bool:
    return (
        one.digest == other.digest
        and one.status is other.status
        and _by_message_time(one) == _by_message_time(other)
        and (one.version == other.version or _by_message_time(one))
    )
