"""Ground: one Kafka for all runs, the inputs that they share, and tidying up after them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import rmtree

from aiokafka.admin import AIOKafkaAdminClient

from bench.systems import LEDGER_SOURCE, SOURCES, BenchError, Run, System, run_of
from streams.local_kafka import LocalKafka
from streams.play import Record, play
from streams.settings import Settings
from streams.topics import create

HEAP_MB = 1024
"""Of Kafka: twice what the demo has, so that it is not what is measured."""
FIELDS = {Settings.model_fields[field].default: field for field in (*SOURCES, *LEDGER_SOURCE)}
"""Field of Settings that names a source topic, by the topic's default name, which records carry."""


@dataclass(frozen=True)
class Input:
    """Topics that are full already, and how many records each holds, by field of Settings."""

    run: Run
    records: Counter[str]

    def given_to(self, system: System) -> int:
        return sum(self.records[field] for field in system.reads)

    def topics_of(self, system: System) -> dict[str, str]:
        return {field: getattr(self.run.settings, field) for field in system.reads}


class Ground:
    """Where the bench runs. What a run or an input leaves is deleted when its context ends; logs stay."""

    def __init__(self, kafka: LocalKafka, folder: Path) -> None:
        self.kafka = kafka
        self._folder = folder
        self._numbers = count(1)

    @property
    def broker(self) -> int:
        """Process id of Kafka."""
        if self.kafka.pid is None:
            raise BenchError(f"Kafka ended: see {self.kafka.log}")
        return self.kafka.pid

    @asynccontextmanager
    async def input(self, records: Iterable[Record], partitions: int) -> AsyncIterator[Input]:
        """Write ``records`` to topics that runs can share."""
        async with self._topics("input", {}, partitions, 1) as run:
            counts: Counter[str] = Counter()
            await play_into(run, _counted(records, counts))
            yield Input(run, counts)

    @asynccontextmanager
    async def run(
        self, system: System, *, partitions: int, source: Input | None = None
    ) -> AsyncIterator[Run]:
        """A run of ``system`` on ``source``, or on empty topics of its own."""
        shared = source.topics_of(system) if source else {}
        async with self._topics(system.name, shared, partitions, system.workers) as run:
            yield run

    @asynccontextmanager
    async def _topics(
        self, what: str, shared: dict[str, str], partitions: int, workers: int
    ) -> AsyncIterator[Run]:
        name = f"bench-{next(self._numbers):03}-{what}"
        run = run_of(
            name, self.kafka.brokers, self._folder, shared=shared, partitions=partitions, workers=workers
        )
        await create(run.settings)
        try:
            yield run
        finally:
            await self._tidy(name)

    async def _tidy(self, name: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.brokers)
        await admin.start()
        try:
            # Peers name changelogs as they like, but with their group in it.
            await admin.delete_topics([topic for topic in await admin.list_topics() if name in topic])
        finally:
            await admin.close()
        with suppress(FileNotFoundError):
            await asyncio.to_thread(rmtree, self._folder / name)


async def play_into(run: Run, records: Iterable[Record]) -> int:
    """Write ``records`` to the sources of ``run``; how many they were."""
    topics = {topic: getattr(run.settings, field) for topic, field in FIELDS.items()}
    return await play(run.settings, (record._replace(topic=topics[record.topic]) for record in records))


def _counted(records: Iterable[Record], counts: Counter[str]) -> Iterator[Record]:
    for record in records:
        counts[FIELDS[record.topic]] += 1
        yield record
