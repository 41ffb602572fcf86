"""Intake: agent 1. Reads what sources send, settles it, and passes it on keyed by patient."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from models.billing import Decision, Outcome, Reason, encode_decision
from models.facilities import Facilities
from models.messages import ProcedureMessage, Unreadable
from models.procedures import ProcedureEvent, encode_procedure
from models.resolve import dead_letter, resolve
from streams.cloudevents import CloudEvents
from streams.dead_letters import put_aside
from streams.intake.window import WINDOWS, Window
from streams.once import OnceApp, UnitOfWork
from streams.once.failure import where
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.topics import Topics

Read = Callable[[bytes | None], list[ProcedureMessage]]
"""Reads one record's value. Raises Unreadable."""


class Intake:
    """Turns source records into canonical events, held records and dead letters."""

    def __init__(
        self,
        app: OnceApp,
        topics: Topics,
        facilities: Facilities,
        settings: Settings,
        formats: Mapping[str, Read],
    ) -> None:
        self._topics = topics
        self._facilities = facilities
        self._formats = formats
        self._decided = CloudEvents("perdiem.decision", f"/{app.conf.id}/intake")
        self._partition = lru_cache(maxsize=100_000)(partial(partition_of, partitions=settings.partitions))
        self._limit = settings.dead_letter_limit
        self._window_size = settings.dead_letter_window
        self.windows = app.once_table("dead_letter_windows", WINDOWS)
        app.once_agent(
            "intake",
            self.fill,
            changelogs={source: topic.name for source, topic in topics.intake_states.items()},
            tables=[self.windows],
        )

    def fill(self, unit: UnitOfWork) -> None:
        """Raises Refused when too large a share of the latest records are dead letters."""
        tp = unit.batch.tp
        name = f"{tp.topic}[{tp.partition}]"
        window = Window(self.windows.get(name, b""), self._window_size, self._limit)
        read = self._formats[tp.topic]
        for record in unit.records:
            window.add(self._take_in(unit, record, read))
            window.check(name)
        if unit.records:
            self.windows[name] = window.content

    def _take_in(self, unit: UnitOfWork, record: Any, read: Read) -> bool:
        """Deal with one source record; whether it became a dead letter."""
        prefix = f"{record.topic}:{record.partition}:{record.offset}:"
        try:
            resolved = [
                resolve(message, self._facilities, event_id=f"{prefix}{index}", received=record.timestamp)
                for index, message in enumerate(read(record.value))
            ]
        except Unreadable as error:
            decision = dead_letter(error, self._facilities, event_id=f"{prefix}0", received=record.timestamp)
            self._dead_letter(unit, record, decision, error="Unreadable", message=str(error))
            return True
        except Exception as error:
            decision = Decision(
                event_id=f"{prefix}0",
                sequence=1,
                cause=f"{prefix}0",
                outcome=Outcome.DEAD_LETTERED,
                reason=Reason.RULE_FAILED,
                received=record.timestamp,
            )
            self._dead_letter(unit, record, decision, error=type(error).__name__, message=where(error))
            return True
        for statement in resolved:
            self._pass_on(unit, record, statement)
        return False

    def _pass_on(self, unit: UnitOfWork, record: Any, statement: ProcedureEvent | Decision) -> None:
        if isinstance(statement, ProcedureEvent):
            key = statement.patient.encode()
            unit.send(
                self._topics.procedures.name, key, encode_procedure(statement), partition=self._partition(key)
            )
            unit.counts["passed_on"] += 1
            return
        if statement.outcome is Outcome.HELD:
            put_aside(
                unit,
                self._topics.held.name,
                record,
                key=statement.event_id.encode(),
                reason=statement.reason or Reason.UNREADABLE,
                error="Held",
                message=f"{statement.field}: expected {statement.detail}",
                event_id=statement.event_id,
            )
        self._decide(unit, statement)

    def _dead_letter(
        self, unit: UnitOfWork, record: Any, decision: Decision, *, error: str, message: str
    ) -> None:
        put_aside(
            unit,
            self._topics.dead_letters.name,
            record,
            key=record.key,
            reason=decision.reason or Reason.UNREADABLE,
            error=error,
            message=message,
            event_id=decision.event_id,
        )
        self._decide(unit, decision)

    def _decide(self, unit: UnitOfWork, decision: Decision) -> None:
        """Publish a decision, through the ledger where it may concern a standing charge."""
        value = encode_decision(decision)
        if decision.patient is None:
            key = decision.event_id.encode()
        else:
            key = decision.patient.encode()
            if decision.procedure_id is not None and decision.outcome in (
                Outcome.HELD,
                Outcome.DEAD_LETTERED,
            ):
                unit.send(self._topics.procedures.name, key, value, partition=self._partition(key))
                return
        unit.send(
            self._topics.decisions.name,
            key,
            value,
            self._decided.headers(decision.id),
            partition=self._partition(key),
        )
        unit.counts[decision.outcome] += 1
