"""What cannot be noted is told in bounded time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from streams import access
from streams.access import AccessLog, AccessLogError, Did
from streams.local_kafka import free_port
from streams.settings import Settings


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A broker that takes connections and never answers."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}"
    server.close()


async def test_without_kafka_an_access_is_not_noted() -> None:
    """Whoever asked is told at once."""
    accesses = AccessLog(Settings.isolated(brokers=f"127.0.0.1:{free_port()}"))
    with pytest.raises(AccessLogError, match="the access cannot be noted: "):
        await accesses.write("anna", "analyst", Did.LOOK, "/")


async def test_a_kafka_that_hangs_is_waited_for_a_bounded_time(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who wait are told when the time is over, and not one after the other."""
    monkeypatch.setattr(access, "_WITHIN", 1.0)
    accesses = AccessLog(Settings.isolated(brokers=silent))
    begun = time.monotonic()
    writes = (accesses.write("anna", "analyst", Did.LOOK, "/") for _ in range(5))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(result) for result in results} == {AccessLogError}
    assert time.monotonic() - begun < 4


async def test_a_stop_does_not_wait_for_what_cannot_be_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idempotent producer keeps its records for as long as Kafka is away, and the worker with them."""

    class Waiting:
        async def stop(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(access, "_CLOSED_WITHIN", 0.05)
    accesses = AccessLog(Settings.isolated(brokers="127.0.0.1:1"))
    monkeypatch.setattr(accesses, "_producer", Waiting())
    async with asyncio.timeout(5):
        await accesses.close()
