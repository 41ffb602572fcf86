"""Kafka for the tests: a broker, and what to write to it and read from it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from streams.local_kafka import CONFIG, VERSION, LocalKafka, free_port
from streams.settings import Settings
from tests.opened import opened

ROOT = Path(__file__).parent.parent
BOUND = 60.0
"""Seconds after which a read is given up: what it waits for is not coming."""


class Sent(NamedTuple):
    """A record to write."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Bootstrap servers of a Kafka: the one that is given, one in Docker if asked for, else a local one."""
    given, kind = os.environ.get("PERDIEM_TEST_BROKERS"), os.environ.get("PERDIEM_TEST_BROKER", "local")
    if given:
        yield given
    elif kind == "docker":
        with docker_kafka() as brokers:
            yield brokers
    elif kind == "local":
        with LocalKafka(folder) as kafka:
            yield kafka.brokers
            kafka.kill()  # nobody reads this folder again, and a clean stop takes seconds
    else:
        raise ValueError("PERDIEM_TEST_BROKER: docker or local expected")


def installation(brokers: str, folder: Path) -> Settings:
    """Settings of an installation that nobody else uses; its topics do not exist yet, its pages are open to
    the tokens of ``tests.opened``."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    settings = Settings.isolated(
        app_id=name,
        topic_prefix=f"{name}.",
        brokers=brokers,
        facilities=ROOT / "examples" / "facilities.toml",
        data_dir=folder,
        partitions=4,
        web_port=free_port(),
    )
    return opened(settings, folder)


@contextmanager
def docker_kafka() -> Iterator[str]:
    """Apache Kafka in a container, on a port of this machine."""
    port = free_port()
    config = CONFIG | {
        "listeners": f"CLIENTS://0.0.0.0:{port},BROKERS://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{port},BROKERS://127.0.0.1:19092",
        "controller.quorum.voters": "1@127.0.0.1:19093",
    }
    container = (
        DockerContainer(f"apache/kafka:{VERSION}")
        .with_bind_ports(port, port)
        .with_envs(**{f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in config.items()})
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )
    with container:
        yield f"127.0.0.1:{port}"


async def produce(settings: Settings, records: Iterable[Sent], **how: Any) -> list[tuple[str, int, int]]:
    """Write ``records`` in order; topic, partition and offset of each. ``how``: settings of the producer."""
    producer = AIOKafkaProducer(**settings.kafka(), enable_idempotence=True, **how)
    await producer.start()
    try:
        futures = [
            await producer.send(
                record.topic,
                record.value,
                record.key,
                partition=record.partition,
                headers=[*record.headers],
            )
            for record in records
        ]
        await producer.flush()
        acked = [await future for future in futures]
    finally:
        await producer.stop()
    return [(ack.topic, ack.partition, ack.offset) for ack in acked]


async def read_all(
    settings: Settings, *topics: str, isolation: str = "read_committed"
) -> list[ConsumerRecord]:
    """What is committed in ``topics``, up to the end of their logs; by partition in order.

    A transaction that is open at the end is waited for. Under read_uncommitted also what was aborted.
    """
    async with _consumer(settings, "read_uncommitted") as consumer:
        partitions = await _partitions(consumer, topics)
        ends = await consumer.end_offsets(partitions)
    async with _consumer(settings, isolation) as consumer, asyncio.timeout(BOUND):
        begins = await consumer.beginning_offsets(partitions)
        consumer.assign(partitions)
        records: list[ConsumerRecord] = []
        for partition in partitions:
            consumer.seek(partition, begins[partition])
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                polled = await consumer.getmany(partition, timeout_ms=100)
                records += [record for some in polled.values() for record in some]
        return records


async def wait_for(settings: Settings, topic: str, count: int) -> list[ConsumerRecord]:
    """The first ``count`` records or more that are committed in ``topic``, as soon as they are there."""
    async with _consumer(settings, "read_committed") as consumer, asyncio.timeout(BOUND):
        partitions = await _partitions(consumer, [topic])
        consumer.assign(partitions)
        for partition, begin in (await consumer.beginning_offsets(partitions)).items():
            consumer.seek(partition, begin)
        records: list[ConsumerRecord] = []
        while len(records) < count:
            polled = await consumer.getmany(timeout_ms=1000)
            records += [record for some in polled.values() for record in some]
        return records


@asynccontextmanager
async def _consumer(settings: Settings, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **settings.kafka(), isolation_level=isolation, enable_auto_commit=False, auto_offset_reset="none"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    cluster = await consumer._client.fetch_all_metadata()
    return [
        TopicPartition(topic, partition)
        for topic in topics
        for partition in sorted(cluster.partitions_for_topic(topic))
    ]
