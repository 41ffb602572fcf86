"""Revision: what another facilities file makes of one event, and what to send to make it so."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import Decision, Outcome
from models.commands import Release, Restate
from models.entries import AnyEntry, Handover
from models.procedures import ProcedureEvent
from models.statements import Procedure
from models.tally import Bucket, bucket_of_decision

SETTLED = frozenset(ProcedureEvent.__struct_fields__) - {
    "settings",
    "warnings",
    "received",
    "decided",
    "because",
    "command",
    "restated",
    "counted",
}
"""What may differ between two resolutions of one record so that it matters."""
IDENTITY = ("procedure", "version_kind", "version")
"""What a statement cannot say anew: the former one would still be there beside it."""


class Act(StrEnum):
    """What is to be done about an event that the other file resolves differently."""

    RESTATE = "restate"
    """Its statement takes the place of the former one."""
    RELEASE = "release"
    """It is held, and no longer would be."""
    WOULD_BE_HELD = "would_be_held"
    """It was taken in, and would be held: left as it is."""
    WOULD_BE_LEFT_OUT = "would_be_left_out"
    """It was taken in, and would be none of ours: left as it is."""
    OTHER_PROCEDURE = "other_procedure"
    """It would be stated of another patient or procedure, or ordered otherwise: left as it is, or both would
    count."""
    FILLED_IN = "filled_in"
    """A person released or redrove it with words of their own, which its record does not hold: left."""


class Change(NamedTuple):
    """One event: what stands in the topics about it, and what the other file makes of its record."""

    event_id: str
    copies: list[ProcedureEvent]
    """Its statements in the order of the log: as resolved, restated, and sent on to other patients."""
    decision: Decision | None
    """The last one."""
    now: ProcedureEvent | Decision

    @property
    def former(self) -> ProcedureEvent | None:
        """The statement that holds."""
        own = [copy for copy in self.copies if copy.patient == copy.stated_patient]
        return max(reversed(own), key=lambda copy: copy.restated, default=None)

    @property
    def fields(self) -> list[str]:
        """Names of what the other file resolves differently."""
        former = self.former
        if former is None or isinstance(self.now, Decision):
            return []
        return sorted(name for name in SETTLED if getattr(former, name) != getattr(self.now, name))

    @property
    def act(self) -> Act | None:
        """What is to be done; None if nothing changes, or if only a person's decision could change it."""
        former, now = self.former, self.now
        if former is None:
            return self._act_on_decision()
        if any(copy.because and not copy.restated for copy in self.copies):
            return Act.FILLED_IN
        if isinstance(now, Decision):
            return Act.WOULD_BE_HELD if now.outcome is Outcome.HELD else Act.WOULD_BE_LEFT_OUT
        if any(getattr(former, name) != getattr(now, name) for name in IDENTITY):
            return Act.OTHER_PROCEDURE
        return Act.RESTATE if self.fields else None

    def _act_on_decision(self) -> Act | None:
        was = self.decision.outcome if self.decision else None
        if was is Outcome.HELD and self.now_outcome is not Outcome.HELD:
            return Act.RELEASE
        if was is Outcome.NOT_OURS and isinstance(self.now, ProcedureEvent):
            return Act.RESTATE
        return None

    @property
    def now_outcome(self) -> Outcome | None:
        """What intake would decide by itself."""
        return self.now.outcome if isinstance(self.now, Decision) else None

    @property
    def statement(self) -> ProcedureEvent:
        """What a command restates it with: numbers of its decisions go on from where they are."""
        assert isinstance(self.now, ProcedureEvent)
        decided = self.former.decided if self.former else self.decision.sequence if self.decision else 0
        counted = self.former.bucket if self.former else tuple(self._bucket)
        return replace(self.now, decided=decided, counted=counted)

    @property
    def _bucket(self) -> Bucket:
        return bucket_of_decision(self.decision) if self.decision else Bucket(None, None, None)

    def revisions(self, survivors: Mapping[str, str]) -> Iterator[tuple[str, "Revision"]]:
        """By patient, what changes in the log. ``survivors``: whom a patient was merged into."""
        act = self.act
        if act is None or act is Act.FILLED_IN:
            return
        now = None if isinstance(self.now, Decision) else self.now
        stays = now is not None and act is not Act.OTHER_PROCEDURE
        for patient in dict.fromkeys(copy.patient for copy in self.copies):
            instead = self.now_outcome if patient == self.copies[-1].patient else None
            yield patient, Revision(self.event_id, now if stays else None, instead=instead)
        if now is not None and not (self.copies and stays):
            was = self.decision.outcome if self.decision else None
            whose = survivors.get(now.patient, now.patient)
            yield whose, Revision(self.event_id, was=was, added=_brought(now, whose))


class Revision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the other file makes of one event in the log of one patient."""

    event_id: str
    statement: ProcedureEvent | None = None
    """In the place of each statement of the event there; None: there is none."""
    instead: Outcome | None = None
    """What intake decides where there is no statement; None: it is somewhere else."""
    added: AnyEntry | None = None
    """What comes to the end of the log."""
    was: Outcome | None = None
    """Of what is added: what became of the event."""


encode_revision = msgspec.json.Encoder().encode
decode_revision = msgspec.json.Decoder(Revision).decode


class Order(NamedTuple):
    """Who wants the other file applied to what was said before it, when and why."""

    file: str
    """Digest of the file."""
    user: str
    time: datetime
    reason: str


def command(change: Change, order: Order) -> Restate | Release | None:
    """What to send about one event; None if it is left as it is.

    The id is the same for the same file and the same state of the event, so that a file applied twice
    changes nothing, and one applied again after another one, or after a release was refused, has effect.
    """
    who = {"user": order.user, "time": order.time, "reason": order.reason}
    if change.act is Act.RESTATE:
        former = change.former.restated if change.former else 0
        name = f"restate:{order.file}:{change.event_id}:{former}"
        return Restate(id=name, statement=msgspec.to_builtins(change.statement), **who)
    if change.act is Act.RELEASE and change.decision is not None:
        name = f"release:{order.file}:{change.event_id}:{change.decision.sequence}"
        return Release(id=name, item=change.event_id, **who)
    return None


def _brought(statement: ProcedureEvent, whose: str) -> AnyEntry:
    """How a statement comes to the patient whose charge it is: handed over, if that is a survivor."""
    if whose == statement.patient:
        return statement
    procedure = Procedure([replace(statement, patient=whose)], hands=1)
    return Handover(patient=whose, event_id=statement.event_id, name=statement.procedure, procedure=procedure)
