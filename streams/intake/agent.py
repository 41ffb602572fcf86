"""Intake: agent 1. Settles what sources send, people decide and billing answers, and passes it on."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.hearing import Taken
from models.messages import Unreadable
from models.procedures import ProcedureEvent
from models.resolve import dead_letter
from models.tally import IN, Bucket, bucket_of_decision
from streams.intake.sources import Sources
from streams.intake.window import WINDOWS, Window
from streams.once import OnceApp, UnitOfWork
from streams.once.failure import where
from streams.passing import Passing
from streams.settings import Settings
from streams.tallies import Tallies
from streams.topics import Topics


class Intake:
    """Turns source records into entries of the ledger, routed commands, held records and dead letters."""

    def __init__(self, app: OnceApp, topics: Topics, sources: Sources, settings: Settings) -> None:
        self._sources = sources
        self._passing = Passing(topics, f"/{app.conf.id}/intake", settings.partitions)
        self._limit = settings.dead_letter_limit
        self._window_size = settings.dead_letter_window
        self.windows = app.once_table("dead_letter_windows", WINDOWS)
        self.tallies = Tallies(app, "intake")
        app.once_agent(
            "intake",
            self.fill,
            changelogs={source: topic.name for source, topic in topics.intake_states.items()},
            tables=[self.windows, *self.tallies.tables],
        )

    def fill(self, unit: UnitOfWork) -> None:
        """Raises Refused when too large a share of the latest records are dead letters."""
        tp = unit.batch.tp
        name = f"{tp.topic}[{tp.partition}]"
        window = Window(self.windows.get(name, b""), self._window_size, self._limit)
        for record in unit.records:
            window.add(self._take_in(unit, record, self.tallies.first_time(record)))
            window.check(name)
        self.tallies.write(unit)
        if unit.records:
            self.windows[name] = window.content

    def _take_in(self, unit: UnitOfWork, record: Any, first_time: bool) -> bool:
        """Deal with one source record; whether it became a dead letter."""
        counts = self._sources.states_procedures(record.topic)
        if counts and not first_time:
            return self._read_again(unit, record)
        prefix = f"{record.topic}:{record.partition}:{record.offset}:"
        event_id, received = f"{prefix}0", record.timestamp
        try:
            taken = self._sources.take_in(record.topic, record.value, prefix, received)
        except Unreadable as error:
            decision = dead_letter(error, self._sources.facilities, event_id=event_id, received=received)
            self._passing.bury(unit, record, decision, error="Unreadable", message=str(error))
            self._count([decision], counts)
            return True
        except Exception as error:
            decision = Decision(
                event_id=event_id,
                sequence=1,
                cause=event_id,
                outcome=Outcome.DEAD_LETTERED,
                reason=Reason.RULE_FAILED,
                received=received,
            )
            self._passing.bury(unit, record, decision, error=type(error).__name__, message=where(error))
            self._count([decision], counts)
            return True
        for each in taken:
            if isinstance(each, Decision) and each.outcome is Outcome.HELD:
                self._passing.hold(unit, record, each)
            self._passing.pass_on(unit, each, event_id, [])
        self._count(taken, counts)
        return False

    def _read_again(self, unit: UnitOfWork, record: Any) -> bool:
        """Offsets were reset, and the facilities file may be another one by now: only what the ledger heard
        of this record may follow, and what intake decided of it stays so."""
        prefix = f"{record.topic}:{record.partition}:{record.offset}:"
        try:
            taken = self._sources.take_in(record.topic, record.value, prefix, record.timestamp)
        except Exception:
            return True
        for each in taken:
            if isinstance(each, ProcedureEvent):
                self._passing.pass_on(unit, replace(each, again=True), each.event_id, [])
        return False

    def _count(self, taken: Sequence[Taken], counts: bool) -> None:
        """Count what came in; and what became of it, where nobody else will."""
        if not counts:
            return
        for each in taken:
            if isinstance(each, ProcedureEvent):
                self.tallies.add(Bucket(*each.bucket), IN)
            elif isinstance(each, Decision):
                self.tallies.add(bucket_of_decision(each), IN)
                if each.outcome is Outcome.NOT_OURS:
                    self.tallies.add(bucket_of_decision(each), each.outcome)
