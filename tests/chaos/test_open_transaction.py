"""Somebody else leaves a transaction open on the ledger's changelog while a worker is restarted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.once.owner import State
from streams.settings import Settings
from streams.topics import Topics
from tests.chaos.scenario import under_load
from tests.integration.counting import until

pytestmark = [pytest.mark.chaos, pytest.mark.long]


async def test_a_foreign_open_transaction_is_waited_for_and_named_when_it_stays(
    settings: Settings, tmp_path: Path
) -> None:
    """Ended in time it costs a pause; else the workers say where it is, and go on when it has ended."""
    settings = settings.model_copy(update={"restore_timeout": 8.0})
    log = Topics.of(settings).patient_days.name
    async with under_load(settings, tmp_path) as scenario:
        cluster = scenario.cluster

        async def restoring() -> bool:
            owned = [one for worker in cluster.workers for one in await cluster.partitions(worker)]
            return any(partition.state == State.RESTORING for partition in owned)

        await scenario.stalls.over()
        async with foreign_transaction(settings, log):
            await cluster.restart(cluster.workers[0])
            await until(restoring)
        await cluster.recovered()
        await scenario.stalls.over()
        async with foreign_transaction(settings, log):
            await cluster.restart(cluster.workers[0])
            said = await scenario.refused()
        assert all(line.startswith(f"{log}[0]: a foreign transaction stays open at offset ") for line in said)
        await cluster.start()
        await scenario.stalls.over()
    assert cluster.crashes == []


@asynccontextmanager
async def foreign_transaction(settings: Settings, topic: str) -> AsyncIterator[None]:
    """Open on partition 0 of ``topic`` meanwhile, and then aborted."""
    producer = AIOKafkaProducer(**settings.kafka(), transactional_id=f"{settings.app_id}-foreign")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"", b"foreign", partition=0)
        yield
        await producer.abort_transaction()
    finally:
        await producer.stop()
