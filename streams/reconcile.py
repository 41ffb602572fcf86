"""Reconciling what the topics hold: the agents' tallies, the charges, and what billing said of them."""

import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date
from typing import Final, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from models.billing import Kind, decode_billing_event
from models.patient_day import PatientDay, decode_patient_day
from models.reconciliation import Line, Reconciliation, Unacknowledged, bucket_of, reconcile
from models.tally import CHARGE, CREDIT, Bucket, Counts, decode_bucket, decode_counts
from streams.errors import PerdiemError
from streams.kept import DAYS
from streams.lags import Lags
from streams.reading import Reader, Span, reader
from streams.settings import Settings
from streams.topics import Topics

TALLYING: Final = ("ledger", "holds", "intake")
"""The agents that count, downstream first: their ends are read in this order, so that what moves meanwhile
is seen in flight and not twice."""
HOUR_MS = 3_600_000


class ReconcileError(PerdiemError):
    """A question that cannot be answered."""


class Part(NamedTuple):
    """What is asked for: all, or one service date, or one facility by its id."""

    service_date: date | None = None
    facility: str | None = None

    def holds(self, service_date: date | None, facility: str | None) -> bool:
        return self.service_date in (None, service_date) and self.facility in (None, facility)


async def reconcile_topics(
    settings: Settings,
    part: Part = Part(),  # noqa: B008 - a tuple does not change
    *,
    after_hours: float = 24,
    examples: int = 20,
    now: Callable[[], float] = time.time,
) -> Reconciliation:
    """Reconcile everything up to the ends of the topics as they are now.

    ``after_hours``: standing charges older than that, of which billing said nothing, are told by id, the
    ``examples`` oldest. Raises ``BrokersError``, ``ReadingError``, and ``ReconcileError`` where nothing was
    ever counted of the facility that is asked for.
    """
    topics = Topics.of(settings)
    tallied = {agent: [topic.name for topic in topics.agents[agent].values()] for agent in TALLYING}
    async with reader(settings) as source:
        spans = await source.spans(topics.billing_events.name, topics.patient_days.name)
        for logs in tallied.values():
            spans = await source.spans(*logs) | spans
        with Lags() as lags:
            counted = [
                await _tallies(source, spans, log, f"{agent}_tallies\0".encode(), lags, part)
                for agent, logs in tallied.items()
                for log in logs
            ]
            written = await _written(source, spans, topics.billing_events.name, lags, part)
            before = round(now() * 1000 - after_hours * HOUR_MS)
            count, ids = lags.unacknowledged(before, examples)
            return Reconciliation(
                lines=_wanted(reconcile(counted), part),
                written=written,
                standing=lags.standing(),
                lag=lags.lag(),
                unacknowledged=Unacknowledged(after_hours, count, ids),
            )


def _wanted(lines: dict[Bucket, Line], part: Part) -> dict[Bucket, Line]:
    if part.facility not in (None, *(bucket.facility for bucket in lines)):
        raise ReconcileError(f"--facility: nothing was ever counted of {part.facility}")
    return {
        bucket: line for bucket, line in lines.items() if part.holds(bucket.service_date, bucket.facility)
    }


async def _tallies(
    source: Reader, spans: dict[TopicPartition, Span], log: str, table: bytes, lags: Lags, part: Part
) -> list[tuple[Bucket, Counts]]:
    """What the changelog ``log`` holds of ``table``. Every partition has its own count of a bucket.

    The patient-days that lie in it are passed on to ``lags``.
    """
    counted: defaultdict[Bucket, Counter[str]] = defaultdict(Counter)
    for partition in [each for each in spans if each.topic == log]:
        latest: dict[Bucket, Counts] = {}
        async for record in _records(source, spans, partition):
            if record.key.startswith(table):
                bucket = decode_bucket(record.key[len(table) :])
                latest[bucket] = {} if record.value is None else decode_counts(record.value)
            elif record.key.startswith(DAYS):
                day = None if record.value is None else decode_patient_day(record.value)
                lags.stand(record.key, () if day is None else _charges(day, part))
        for bucket, counts in latest.items():
            counted[bucket].update(counts)
    return [*counted.items()]


def _charges(day: PatientDay, part: Part) -> Iterable[tuple[str, str | None]]:
    """The charges that stand on ``day``, each with what billing said of it last."""
    for units in day.units.values():
        for unit in units:
            if unit.charge and part.holds(unit.charge.service_date, unit.charge.facility):
                yield unit.charge.id, unit.acknowledged


async def _written(
    source: Reader, spans: dict[TopicPartition, Span], log: str, lags: Lags, part: Part
) -> dict[Bucket, Counts]:
    """The charges and credits in ``log``, by bucket; ``lags`` is told when each charge was written."""
    written: defaultdict[Bucket, Counter[str]] = defaultdict(Counter)
    for partition in [each for each in spans if each.topic == log]:
        async for record in _records(source, spans, partition):
            event = decode_billing_event(record.value)
            if not part.holds(event.service_date, event.facility):
                continue
            written[bucket_of(event)][CHARGE if event.kind is Kind.CHARGE else CREDIT] += 1
            if event.kind is Kind.CHARGE:
                lags.written(event, record.timestamp)
    return {**written}


async def _records(
    source: Reader, spans: dict[TopicPartition, Span], partition: TopicPartition
) -> AsyncIterator[ConsumerRecord]:
    async for records in source.read({partition: spans[partition]}):
        for record in records:
            yield record
