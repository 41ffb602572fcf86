"""A consumer of ours ends when it is told to, also where aiokafka's would go on."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from streams.kafka.consumer import Consumer


async def test_a_fetcher_that_takes_its_end_for_that_of_a_request_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else whoever closes the consumer waits for ever, and a worker restores no partition any more."""

    async def fetch() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    fetching = asyncio.create_task(fetch())
    await asyncio.sleep(0)

    async def stop(_: Any) -> None:
        fetching.cancel()
        await asyncio.wait({fetching})

    monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
    monkeypatch.setattr("streams.kafka.consumer._AGAIN", 0.01)
    consumer = Consumer(bootstrap_servers="127.0.0.1:1")
    monkeypatch.setattr(consumer, "_fetcher", SimpleNamespace(_fetch_task=fetching))
    async with asyncio.timeout(5):
        await consumer.stop()
    assert fetching.cancelled()
