"""Latency: from an event to its decision, under a steady load."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from bench.ground import FIELDS, Ground
from bench.load import PROCEDURES, canonical, messages
from bench.measure import START_TIMEOUT, attempt, decode_said
from bench.sizes import Sizes
from bench.systems import KAFKA_STREAMS, LEDGER, PATH, BenchError, Run, System
from bench.throughput import PARTITIONS
from streams.play import Record

PATIENCE = 10.0
"""Seconds after the last event for what is still to be decided."""
AFTER = 1.0
"""Seconds of load behind what is measured: the end of a load is not steady, here as there."""
LINGER_MS = 5
"""What Kafka's own producer waits for by default since 4.0. A request for each event would cost the broker
more than all that it does for the systems here."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One system at one rate. Times are milliseconds from when an event was due to be sent until its
    decision was read, under read_committed; so a sender or a system that falls behind shows."""

    system: str
    label: str
    rate: int
    p50: float
    p99: float
    worst: float
    events: int
    undecided: int
    """Events without a decision in time."""


class Sent(NamedTuple):
    event_id: str
    due: float


async def latencies(ground: Ground, sizes: Sizes) -> AsyncIterator[Latency | BenchError]:
    for system in (LEDGER, PATH, KAFKA_STREAMS):
        if system.missing() is None:
            for rate in sizes.rates:
                yield await attempt(latency(ground, sizes, system, rate), system.label)


async def latency(ground: Ground, sizes: Sizes, system: System, rate: int) -> Latency:
    """Raises BenchError if the system decides nothing at all."""
    count = int(rate * (sizes.latency_warmup + sizes.latency_seconds + AFTER)) + 1
    records = messages(count + count // 10)
    events = [*islice(canonical(records), count)] if system.reads != PATH.reads else records[:count]
    async with ground.run(system, partitions=PARTITIONS) as run:
        children = system.start(run)
        try:
            sent, decided = await _exchange(run, events, rate)
        finally:
            for child in children:
                child.stop()
    begun = sent[1].due + sizes.latency_warmup
    measured = [event for event in sent if 0 <= event.due - begun < sizes.latency_seconds]
    took = sorted((decided[e.event_id] - e.due) * 1000 for e in measured if e.event_id in decided)
    if not took:
        raise BenchError(f"{run.name}: nothing was decided at {rate} events/s: {run.log}")
    return Latency(
        system=system.name,
        label=system.label,
        rate=rate,
        p50=percentile(took, 0.5),
        p99=percentile(took, 0.99),
        worst=took[-1],
        events=len(measured),
        undecided=len(measured) - len(took),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest of ``ordered`` that ``share`` of them do not exceed."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


async def _exchange(run: Run, events: Sequence[Record], rate: int) -> tuple[list[Sent], dict[str, float]]:
    """Send the first event, and the others at ``rate`` once it is decided; when each was due and decided."""
    decided: dict[str, float] = {}
    first = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_read(run, decided, first))
        producer = AIOKafkaProducer(**run.settings.kafka(), acks="all", linger_ms=LINGER_MS)
        await producer.start()
        try:
            now = asyncio.get_running_loop().time()
            sent = [_sent(events[0], now, await (await _send(producer, run, events[0])))]
            async with asyncio.timeout(START_TIMEOUT):
                await first.wait()
            sent += await _pace(producer, run, events[1:], rate)
            await _all(decided, {event.event_id for event in sent})
        except TimeoutError:
            raise BenchError(f"{run.name}: no decision in {START_TIMEOUT:.0f} s: {run.log}") from None
        finally:
            reading.cancel()
            await producer.stop()
    return sent, decided


async def _pace(producer: AIOKafkaProducer, run: Run, events: Sequence[Record], rate: int) -> list[Sent]:
    """No acknowledgement is waited for: a task for each event would cost more than the event."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    sending = []
    for number, event in enumerate(events):
        due = begun + number / rate
        if (early := due - clock()) > 0:
            await asyncio.sleep(early)
        sending.append((event, due, await _send(producer, run, event)))
    return [_sent(event, due, await future) for event, due, future in sending]


async def _send(producer: AIOKafkaProducer, run: Run, event: Record) -> "asyncio.Future[RecordMetadata]":
    topic = getattr(run.settings, FIELDS[event.topic])
    acknowledged: asyncio.Future[RecordMetadata] = await producer.send(topic, event.value, event.key)
    return acknowledged


def _sent(event: Record, due: float, at: RecordMetadata) -> Sent:
    if event.topic == PROCEDURES:
        return Sent(decode_said(event.value or b"").event_id, due)
    return Sent(f"{at.topic}:{at.partition}:{at.offset}:0", due)


async def _read(run: Run, decided: dict[str, float], first: asyncio.Event) -> None:
    clock = asyncio.get_running_loop().time
    consumer = AIOKafkaConsumer(
        **run.settings.kafka(), isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(run.settings.topic_decisions, n) for n in range(PARTITIONS)]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while True:
            polled = await consumer.getmany(timeout_ms=1000)
            now = clock()
            for records in polled.values():
                for record in records:
                    decided.setdefault(decode_said(record.value).event_id, now)
                first.set()
    finally:
        await consumer.stop()


async def _all(decided: dict[str, float], events: set[str]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not events <= decided.keys():  # noqa: ASYNC110 - a look now and then is enough
                await asyncio.sleep(0.2)
