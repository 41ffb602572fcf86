"""The audit: reads what the topics hold and recomputes every charge by the independent model.

One ledger partition after the other: everything about a patient lies in the same partition of
every topic that is keyed by patient, and what lies elsewhere is a finding. Of the sources one byte a
record is kept.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from models.audit import Account, Figure, Finding, audit
from models.billing import (
    decode_billing_event,
    decode_decision,
    decode_procedure_or_decision,
)
from models.patient_day import PatientDay, decode_patient_day
from streams.partitioning import partition_of
from streams.reading import Reader, Span, reader
from streams.settings import Settings
from streams.spill import Spill, Spilled
from streams.topics import Topics

PROCEDURE, DECISION, BILLING, DAY = range(4)
"""Kinds of spilled records."""
PRESENT, DECIDED = 1, 2
"""What is known of a source record, by bits."""
DAYS: Final = b"patient_days\0"
"""What the keys of the ledger's days begin with in its changelog."""


Progress = Callable[[str, int, int], None]
"""Told the topic, how many of its offsets were just passed, and how many it has."""


class _Whose(msgspec.Struct):
    patient: str


_decode_whose = msgspec.json.Decoder(_Whose).decode


@dataclass
class Report:
    """What the audit found: how many of each, and the first few by id. Never a patient's id."""

    examples: int = 5
    figures: Counter[Figure] = field(default_factory=Counter)
    found: dict[Figure, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    records: Counter[str] = field(default_factory=Counter)
    """Records read, by topic."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Source events by the outcome of their latest decision."""
    standing: int = 0
    """Charges that stand."""
    replayed: int = 0
    """Statements that intake wrote more than once, which the rule absorbed."""

    @property
    def clean(self) -> bool:
        return not self.figures.total()

    def told(self) -> dict[str, object]:
        """For programs."""
        return {
            "clean": self.clean,
            **{figure.value: self.figures[figure] for figure in Figure},
            "standing": self.standing,
            "replayed": self.replayed,
            "outcomes": dict(sorted(self.outcomes.items())),
            "records": dict(self.records),
            "examples": {
                figure.value: [finding._asdict() | {"figure": figure.value} for finding in findings]
                for figure, findings in self.found.items()
            },
        }

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.figures[finding.figure] += 1
            if len(self.found[finding.figure]) < self.examples:
                self.found[finding.figure].append(finding)


class Sources:
    """Which records the source topics hold, and which of them were decided: one byte each."""

    def __init__(self, spans: dict[TopicPartition, Span]) -> None:
        self._spans = spans
        self._marks = {partition: bytearray(span.end - span.begin) for partition, span in spans.items()}

    def present(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            self._marks[partition][record.offset - self._spans[partition].begin] |= PRESENT

    def decided(self, event_id: str) -> Finding | None:
        """Note that there is a decision about ``event_id``; what is wrong if no record bears this id.

        Records the source no longer keeps cannot be checked, nor those that came after the audit began.
        """
        try:
            topic, partition_text, offset_text, _ = event_id.rsplit(":", 3)
            partition, offset = TopicPartition(topic, int(partition_text)), int(offset_text)
            span = self._spans[partition]
        except (ValueError, KeyError):
            return Finding(Figure.UNEXPLAINED, event_id, "is of no source partition")
        if not span.begin <= offset < span.end:
            return None
        marks = self._marks[partition]
        marks[offset - span.begin] |= DECIDED
        if marks[offset - span.begin] & PRESENT:
            return None
        return Finding(Figure.UNEXPLAINED, event_id, "is decided, but the source holds no such record")

    def undecided(self) -> Iterator[Finding]:
        for partition, marks in self._marks.items():
            begin = self._spans[partition].begin
            at = marks.find(PRESENT)
            while at >= 0:
                event_id = f"{partition.topic}:{partition.partition}:{begin + at}:0"
                yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
                at = marks.find(PRESENT, at + 1)


def _nothing(topic: str, records: int, total: int) -> None:
    pass


async def audit_topics(settings: Settings, examples: int = 5, progress: Progress = _nothing) -> Report:
    """Audit everything up to the ends of the topics as they are now.

    Raises ``BrokersError``, ``ReadingError``. Records on their way through the pipeline have no
    decision yet and are counted as unexplained: run it when the pipeline has caught up.
    """
    topics = Topics.of(settings)
    sources = [topic.name for topic in topics.sources]
    kinds = {
        topics.procedures.name: PROCEDURE,
        topics.decisions.name: DECISION,
        topics.billing_events.name: BILLING,
        topics.patient_days.name: DAY,
    }
    report = Report(examples)
    async with reader(settings) as source:
        spans = await source.spans(*sources, *kinds)
        read = _Reading(source, spans, report, progress)
        known = Sources({partition: span for partition, span in spans.items() if partition.topic in sources})
        for partition in [partition for partition in spans if partition.topic in sources]:
            async for records in read(partition):
                known.present(records)
        numbers = sorted({partition.partition for partition in spans if partition.topic in kinds})
        for number in numbers:
            with Spill() as spill:
                for topic, kind in kinds.items():
                    async for records in read(TopicPartition(topic, number)):
                        _spill(spill, kind, records)
                for key, group in spill.groups():
                    account = _account(group)
                    report.add(misplaced(key, account, number, len(numbers)))
                    _audit(account, known, report)
    report.add(known.undecided())
    return report


@dataclass
class _Reading:
    source: Reader
    spans: dict[TopicPartition, Span]
    report: Report
    progress: Progress

    async def __call__(self, partition: TopicPartition) -> AsyncIterator[list[ConsumerRecord]]:
        if partition not in self.spans:
            return
        total = sum(span.end - span.begin for at, span in self.spans.items() if at.topic == partition.topic)
        async for records in self.source.read({partition: self.spans[partition]}):
            self.report.records[partition.topic] += len(records)
            self.progress(partition.topic, len(records), total)
            yield records


def _spill(spill: Spill, kind: int, records: Iterable[ConsumerRecord]) -> None:
    if kind != DAY:
        spill.put(kind, ((record.key or b"", record.value) for record in records))
        return
    for record in records:
        if record.key.startswith(DAYS):
            group = b"" if record.value is None else _decode_whose(record.value).patient.encode()
            spill.put_latest(kind, record.key, group, record.value)


def misplaced(key: bytes, account: Account, number: int, partitions: int) -> Iterator[Finding]:
    """What is wrong if ``account``, all that lies under ``key`` in partition ``number``, belongs elsewhere.

    Two ledgers would then each know a part of what was said of one patient, and each charge.
    """
    belongs = partition_of(key, partitions)
    if belongs != number:
        event_ids = [record.event_id for record in (*account.procedures, *account.decisions)]
        charge_ids = [event.id for event in account.billing_events]
        one = next(iter(event_ids + charge_ids), "a patient-day")
        yield Finding(Figure.UNEXPLAINED, one, f"lies in partition {number}, its key belongs in {belongs}")


def _account(group: Iterable[Spilled]) -> Account:
    days: list[PatientDay] = []
    account = Account(days=days)
    put: dict[int, Callable[[bytes], None]] = {
        PROCEDURE: lambda value: account.procedures.append(decode_procedure_or_decision(value)),
        DECISION: lambda value: account.decisions.append(decode_decision(value)),
        BILLING: lambda value: account.billing_events.append(decode_billing_event(value)),
        DAY: lambda value: days.append(decode_patient_day(value)),
    }
    for kind, value in group:
        put[kind](value)
    return account


def _audit(account: Account, known: Sources, report: Report) -> None:
    latest = {decision.event_id: decision for decision in account.decisions}
    report.outcomes.update(decision.outcome.value for decision in latest.values())
    report.replayed += len(account.procedures) - len({record.event_id for record in account.procedures})
    report.standing += sum(1 if event.kind == "charge" else -1 for event in account.billing_events)
    report.add(finding for event_id in latest if (finding := known.decided(event_id)))
    report.add(audit(account))
