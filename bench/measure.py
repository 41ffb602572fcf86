"""Measure: run a system until its input is processed, and look at it from outside only.

How far it is, is what a reader under read_committed could read of its decisions. Nothing that a system says
of itself is used.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import NamedTuple, TypeVar

import msgspec
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bench.systems import BenchError, Run, System
from streams.child import Child
from streams.errors import PerdiemError
from streams.reading import reader
from streams.settings import Settings

LOOK_EVERY = 0.05
START_TIMEOUT = 120.0
IDLE = 4.0
"""Seconds without a new decision after which a system is taken to be done: more than any commit interval."""
WARM, TAIL = 0.1, 0.95
"""The rate is taken between these shares of the decisions: after the JIT is warm, before the last commit,
which for some comes only when its interval is over."""


WHOLE = 4 * LOOK_EVERY
"""Seconds in which the partitions of one commit become visible."""


FAILURES = (PerdiemError, KafkaError, psutil.Error, TimeoutError)
"""Of one run, or of what it needs of Kafka."""
Row = TypeVar("Row")


class Sample(NamedTuple):
    """One look at a running system."""

    at: float
    visible: int
    """Offsets of the decisions topic that a reader under read_committed may read."""
    cpu: float
    """Seconds of CPU time that its processes have used."""
    broker_cpu: float
    rss: int
    """Bytes of memory its processes hold."""


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    system: str
    label: str
    partitions: int
    workers: int
    repeats: float
    """Share of the input that came before."""
    given: int
    """Events in the input."""
    events: int
    """Events with a decision: all, or as many as a slow system managed in the time it had."""
    rate: float
    """Events a second."""
    cpu: float
    """Microseconds of CPU time an event."""
    broker_cpu: float
    """The same, of the broker."""
    rss: float
    """MiB at most."""
    ended: bool
    """Whether it came to rest by itself."""


class Said(msgspec.Struct):
    """As much of a decision as the bench needs."""

    event_id: str
    sequence: int = 1


decode_said = msgspec.json.Decoder(Said).decode


class Watch:
    """Looks at the decisions of a run, and at its processes."""

    def __init__(self, consumer: AIOKafkaConsumer, run: Run, children: Sequence[Child], broker: int) -> None:
        self._consumer = consumer
        self._run = run
        self._children = children
        self._broker = psutil.Process(broker)
        self._partitions = [
            TopicPartition(run.settings.topic_decisions, number) for number in range(run.settings.partitions)
        ]

    async def look(self) -> Sample:
        """Raises BenchError if a process of the system has ended."""
        for child in self._children:
            if child.exit_code is not None:
                raise BenchError(
                    f"{self._run.name} ended by itself (exit {child.exit_code}): {self._run.log}"
                )
        ends = await self._consumer.end_offsets(self._partitions)
        cpu, rss = used(process for child in self._children for process in family(child.pid))
        return Sample(asyncio.get_running_loop().time(), sum(ends.values()), cpu, _cpu(self._broker), rss)

    async def until_done(self, limit: float) -> list[Sample]:
        """Samples until it comes to rest, or until ``limit`` seconds after its first decision.

        Raises BenchError if there is none in time.
        """
        samples = [await self.look()]
        begun = moved = samples[0].at
        while True:
            await asyncio.sleep(LOOK_EVERY)
            sample = await self.look()
            if sample.visible > samples[-1].visible:
                moved = sample.at
                if samples[-1].visible == samples[0].visible:
                    begun = sample.at
            samples.append(sample)
            if sample.visible == samples[0].visible:
                if sample.at - begun > START_TIMEOUT:
                    raise BenchError(
                        f"{self._run.name}: no decision in {START_TIMEOUT:.0f} s: {self._run.log}"
                    )
            elif sample.at - moved > IDLE or sample.at - begun > limit:
                return samples


@asynccontextmanager
async def watch(run: Run, children: Sequence[Child], broker: int) -> AsyncIterator[Watch]:
    consumer = AIOKafkaConsumer(
        **run.settings.kafka(), isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        yield Watch(consumer, run, children, broker)
    finally:
        await consumer.stop()


async def throughput(
    system: System, run: Run, broker: int, *, given: int, repeats: float = 0.0
) -> Throughput:
    """Run ``system`` on an input that is there already, ``given`` events, up to its limit."""
    children = system.start(run)
    try:
        async with watch(run, children, broker) as look:
            samples = await look.until_done(system.limit)
    finally:
        # Not stopped: a slow one that was cut short would decide more on its way out.
        for child in children:
            child.kill()
    events = await decided(run.settings)
    first, last = steady(samples)
    share = (last.visible - first.visible) / (samples[-1].visible - samples[0].visible)
    counted = share * events
    return Throughput(
        system=system.name,
        label=system.label,
        partitions=run.settings.partitions,
        workers=run.workers,
        repeats=repeats,
        given=given,
        events=events,
        rate=counted / (last.at - first.at),
        cpu=(last.cpu - first.cpu) / counted * 1e6,
        broker_cpu=(last.broker_cpu - first.broker_cpu) / counted * 1e6,
        rss=max(sample.rss for sample in samples) / (1 << 20),
        ended=samples[-1].at - _moved(samples)[-1].at > IDLE,
    )


async def attempt(run: Awaitable[Row], what: str) -> Row | BenchError:
    """What ``run`` measures, or why it could not: a run that fails stops no other."""
    try:
        return await run
    except BenchError as error:
        return error
    except FAILURES as error:
        return BenchError(f"{what}: {type(error).__name__}: {error}")
    except ExceptionGroup as group:
        if group.split(FAILURES)[1]:
            raise
        return BenchError(f"{what}: {', '.join(map(str, group.exceptions))}")


def steady(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    """Between which samples the rate is taken; both show a whole commit.

    Raises BenchError if there are not two commits to see.
    """
    begin, total = samples[0].visible, samples[-1].visible - samples[0].visible
    warm = [sample for sample in _moved(samples) if sample.visible - begin >= WARM * total]
    before_tail = [sample for sample in warm if sample.visible - begin <= TAIL * total]
    first = _whole(warm, warm[0])
    last = _whole(warm, (before_tail or warm)[-1])
    if last is first:
        last = warm[-1]
    if last is first:
        raise BenchError("only one commit was seen, which tells no rate: the input is too small")
    return first, last


def _whole(moved: Sequence[Sample], sample: Sample) -> Sample:
    """The last of the commit that begins with ``sample``: partitions show it one after the other."""
    return [after for after in moved if 0 <= after.at - sample.at < WHOLE][-1]


async def decided(settings: Settings) -> int:
    """How many events have a decision."""
    seen: set[str] = set()
    async with reader(settings) as source:
        async for records in source.read(await source.spans(settings.topic_decisions)):
            seen.update(decode_said(record.value).event_id for record in records)
    return len(seen)


def _moved(samples: Sequence[Sample]) -> list[Sample]:
    return [after for before, after in pairwise(samples) if after.visible > before.visible]


def family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; none if it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def used(processes: Iterable[psutil.Process]) -> tuple[float, int]:
    """Seconds of CPU time and bytes of memory; what has ended since it was listed is left out."""
    cpu, rss = 0.0, 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            own, held = _cpu(process), process.memory_info().rss
            cpu, rss = cpu + own, rss + held
    return cpu, rss


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
