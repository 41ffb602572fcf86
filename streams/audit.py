"""The audit: reads what the topics hold and recomputes every charge by the independent model.

One group of connected patients after the other: merges connect patients, and procedures that were stated
under several. Everything keyed by a patient lies in the same partition of every topic, and what lies
elsewhere is a finding. Of the sources one byte a record is kept, and people's commands, which are read from
the topic that people write to.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiokafka import ConsumerRecord, TopicPartition

from models.account import Account
from models.audit import audit
from models.billing import Decision, decode_billing_event, decode_decision
from models.day import PatientDay, decode_patient_day
from models.entries import decode_entry
from models.facilities import Facilities
from models.findings import Figure, Finding
from models.procedures import ProcedureEvent
from models.worklist import decode_item
from streams import ties
from streams.facilities import read_facilities
from streams.kept import DAYS
from streams.partitioning import partition_of
from streams.reading import Reader, Span, reader
from streams.settings import Settings
from streams.sources import Sources
from streams.spill import NOWHERE, Spill, Spilled
from streams.spoken import spoken
from streams.spoken import ties as ties_of_command
from streams.topics import Topics

PROCEDURE, DECISION, BILLING, DAY, ITEM, COMMAND = range(6)
"""Kinds of spilled records."""
AN_ITEM: Final = ("perdiem-type", b"item")
"""Header of an item of the worklist that is no held event."""

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
        topics.held.name: ITEM,
    }
    facilities = read_facilities(settings.facilities) if settings.facilities else None
    report = Report(examples)
    async with reader(settings) as source:
        spans = await source.spans(*sources, *kinds)
        read = _Reading(source, spans, report, progress)
        known = Sources({partition: span for partition, span in spans.items() if partition.topic in sources})
        partitions = len({partition.partition for partition in spans if partition.topic in kinds})
        with Spill() as spill:
            for partition in spans:
                async for records in read(partition):
                    if partition.topic in sources:
                        known.present(records)
                    if partition.topic == topics.commands.name:
                        _spill_commands(spill, records, facilities)
                    elif partition.topic in kinds:
                        _spill(spill, kinds[partition.topic], records, topics.commands.name)
            for group in spill.groups():
                account, places = _account(group, facilities)
                report.add(misplaced(places, partitions))
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


def _spill(spill: Spill, kind: int, records: list[ConsumerRecord], commands: str) -> None:
    partition = records[0].partition
    if kind == DAY:
        for record in records:
            if record.key.startswith(DAYS):
                group = b"" if record.value is None else _decode_whose(record.value).patient.encode()
                spill.put_latest(kind, record.key, group, record.value, partition)
        return
    if kind == ITEM:
        for record in records:
            if AN_ITEM in record.headers:
                group, tied = ties.of_item(decode_item(record.value))
                spill.put(kind, [(group, record.value)])
                spill.tie(tied)
        return
    spill.put(kind, ((record.key or b"", record.value) for record in records), partition)
    if kind == PROCEDURE:
        spill.tie(tie for record in records for tie in ties.of_entry(record.key or b"", record.value))
    elif kind == DECISION:
        spill.tie(
            tie for record in records for tie in ties.of_decision(record.key or b"", record.value, commands)
        )


def _spill_commands(spill: Spill, records: Iterable[ConsumerRecord], facilities: Facilities | None) -> None:
    for record in records:
        event_id = f"{record.topic}:{record.partition}:{record.offset}:0"
        group, tied = ties_of_command(spoken(event_id, record.value, facilities))
        spill.put(COMMAND, [(group, event_id.encode() + b"\n" + (record.value or b""))])
        spill.tie(tied)


Places = dict[tuple[bytes, int], str]
"""By key and partition in which something lies: the id of one such record."""


def misplaced(places: Places, partitions: int) -> Iterator[Finding]:
    """What is wrong if something lies in another partition than its key belongs in.

    Two ledgers would then each know a part of what was said of one patient, and each charge.
    """
    for (key, number), one in places.items():
        belongs = partition_of(key, partitions)
        if number not in (NOWHERE, belongs):
            yield Finding(
                Figure.UNEXPLAINED, one, f"lies in partition {number}, its key belongs in {belongs}"
            )


def _account(group: Iterable[Spilled], facilities: Facilities | None) -> tuple[Account, Places]:
    """Everything of one group of patients, and where it lies."""
    days: list[PatientDay] = []
    account = Account(days=days)
    places: Places = {}
    for kind, value, key, partition in group:
        one = "a patient-day"
        if kind == PROCEDURE:
            entry = decode_entry(value)
            account.procedures.append(entry)
            one = entry.event_id
        elif kind == DECISION:
            decision = decode_decision(value)
            account.decisions.append(decision)
            one = decision.event_id
        elif kind == BILLING:
            billing_event = decode_billing_event(value)
            account.billing_events.append(billing_event)
            one = billing_event.id
        elif kind == DAY:
            days.append(decode_patient_day(value))
        elif kind == ITEM:
            account.items.append(decode_item(value))
        else:
            event_id, _, said = value.partition(b"\n")
            account.commands.append(spoken(event_id.decode(), said, facilities))
        if (key, partition) not in places or kind != DAY:
            places[key, partition] = one
    return account, places


def _audit(account: Account, known: Sources, report: Report) -> None:
    latest = {decision.event_id: decision for decision in account.decisions}
    report.outcomes.update(decision.outcome.value for decision in latest.values())
    said = [
        (record.event_id, record.because if isinstance(record, ProcedureEvent) else record.sequence)
        for record in account.procedures
        if isinstance(record, ProcedureEvent | Decision)
    ]
    report.replayed += len(said) - len({*said})
    report.standing += sum(1 if event.kind == "charge" else -1 for event in account.billing_events)
    report.add(finding for event_id in latest if (finding := known.decided(event_id)))
    report.add(audit(account))
