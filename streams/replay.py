"""Replay: what the sources said and their topics still hold, run through another facilities file.

Everything is read, nothing written. What is known of an event is put together on disk, then what is known of
a patient, so that memory does not grow with the topics.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from aiokafka import ConsumerRecord

from models.billing import Decision, Outcome, decode_decision, decode_procedure_or_decision, encode_decision
from models.commands import Command
from models.entries import AnyEntry, Handover, Survivor, decode_entry
from models.facilities import Facilities
from models.messages import Unreadable
from models.procedures import ProcedureEvent, decode_procedure, encode_procedure
from models.resolve import resolve
from models.revision import Act, Change, Order, Revision, command, decode_revision, encode_revision
from models.what_if import Example, Report, differences, outcomes, play, revised
from streams.errors import PerdiemError
from streams.facilities import digest_of, read_facilities
from streams.intake import json_procedures
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.spill import Spill
from streams.topics import Topics

NOW, COPY, DECISION = range(3)
"""Kinds of what is spilled by event."""
LOG, REVISION = range(2)
"""Kinds of what is spilled by patient."""


class ReplayError(PerdiemError):
    """A replay that cannot be applied."""


class Replay:
    """What was read, on disk until the context ends, and what it comes to."""

    def __init__(self, settings: Settings, file: str, facilities: Facilities, examples: int) -> None:
        self.report = Report(file, examples)
        self._topics = Topics.of(settings)
        self._facilities = facilities
        self._survivors: dict[str, Survivor] = {}
        self._spills = ExitStack()
        self._events = self._spills.enter_context(Spill())
        self._logs = self._spills.enter_context(Spill())

    async def read(self, source: Reader) -> None:
        topics = self._topics
        take: dict[str, Callable[[Iterable[ConsumerRecord]], None]] = {
            topics.lab_procedures.name: self._take_messages,
            topics.infusion_procedures.name: self._take_messages,
            topics.procedures.name: self._take_entries,
            topics.decisions.name: self._take_decisions,
        }
        spans = await source.spans(*take)
        for topic, taken in take.items():
            own = {place: span for place, span in spans.items() if place.topic == topic}
            async for records in source.read(own):
                taken(records)

    def changes(self) -> Iterator[Change]:
        """Every event that the other file was asked about, in the order of their ids."""
        self.report.gone = 0
        for group in self._events.groups():
            name = b""
            copies: list[ProcedureEvent] = []
            decision: Decision | None = None
            now: ProcedureEvent | Decision | None = None
            for kind, value, name, _ in group:  # noqa: B007
                if kind == NOW:
                    now = decode_procedure_or_decision(value)
                elif kind == COPY:
                    copies.append(decode_procedure(value))
                else:
                    told = decode_decision(value)
                    if decision is None or told.sequence >= decision.sequence:
                        decision = told
            if now is not None:
                yield Change(name.decode(), copies, decision, now)
            elif copies:
                self.report.gone += 1

    def compare(self) -> None:
        """Fill the report."""
        survivors = {patient: to.survivor for patient, to in self._survivors.items() if to.survivor}
        for change in self.changes():
            self.report.resolved += 1
            act = change.act
            if act is None:
                continue
            self.report.acts[act] += 1
            whose = change.decision.patient if change.decision else None
            self.report.add(act, Example(change.event_id, whose, ", ".join(change.fields)))
            if act is Act.RELEASE and isinstance(change.now, Decision):
                self.report.becomes(change.event_id, whose, Outcome.HELD, change.now.outcome)
            for patient, revision in change.revisions(survivors):
                self._logs.put(REVISION, [(patient.encode(), encode_revision(revision))])
        for group in self._logs.groups():
            patient_key = b""
            log: list[bytes] = []
            revisions: list[Revision] = []
            for kind, value, patient_key, _ in group:  # noqa: B007
                log.append(value) if kind == LOG else revisions.append(decode_revision(value))
            if revisions:
                self._compare(patient_key.decode(), [*_entries(log)], revisions)

    def commands(self, order: Order) -> Iterator[Command]:
        """What to send so that what can be applied is."""
        for change in self.changes():
            if (told := command(change, order)) is not None:
                yield told

    def close(self) -> None:
        self._spills.close()

    def _compare(self, patient: str, log: list[AnyEntry], revisions: list[Revision]) -> None:
        before, after = play(log), play(revised(log, revisions))
        for difference in differences(before, after):
            self.report.differs(difference)
        for event_id, was, would_be in outcomes(before, after, revisions):
            self.report.becomes(event_id, patient, was, would_be)

    def _take_messages(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            prefix = f"{record.topic}:{record.partition}:{record.offset}:"
            try:
                messages = json_procedures.read(record.value)
            except Unreadable:
                continue  # no settings make it readable
            for index, message in enumerate(messages):
                event_id = f"{prefix}{index}"
                now = resolve(message, self._facilities, event_id=event_id, received=record.timestamp)
                self._events.put(NOW, [(event_id.encode(), _encoded(now))])

    def _take_entries(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            entry = decode_entry(record.value)
            if isinstance(entry, Decision):
                continue
            self._logs.put(LOG, [(record.key, record.value)])
            copies: list[ProcedureEvent] = []
            if isinstance(entry, ProcedureEvent):
                copies = [entry]
            elif isinstance(entry, Handover):
                copies = entry.procedure.statements
            elif isinstance(entry, Survivor):
                known = self._survivors.get(entry.patient)
                if known is None or known.at < entry.at:
                    self._survivors[entry.patient] = entry
            self._events.put(COPY, ((copy.event_id.encode(), encode_procedure(copy)) for copy in copies))

    def _take_decisions(self, records: Iterable[ConsumerRecord]) -> None:
        self._events.put(
            DECISION,
            ((decode_decision(record.value).event_id.encode(), record.value) for record in records),
        )


@asynccontextmanager
async def replay(settings: Settings, path: Path, examples: int = 5) -> AsyncIterator[Replay]:
    """A replay through the facilities file at ``path``, its report filled.

    Raises ``FacilitiesFileError``, ``BrokersError``, ``ReadingError``.
    """
    replayed = Replay(settings, digest_of(path), read_facilities(path), examples)
    try:
        async with reader(settings) as source:
            await replayed.read(source)
        replayed.compare()
        yield replayed
    finally:
        replayed.close()


def _entries(log: Iterable[bytes]) -> Iterator[AnyEntry]:
    for value in log:
        entry = decode_entry(value)
        if not isinstance(entry, Decision):
            yield entry


def _encoded(resolved: ProcedureEvent | Decision) -> bytes:
    return encode_procedure(resolved) if isinstance(resolved, ProcedureEvent) else encode_decision(resolved)
