"""What must hold before a worker starts, without a broker."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from streams.acls import Operation
from streams.brokers import Brokers
from streams.checks import check_acls
from streams.clients import AccessError
from streams.settings import Settings
from streams.topics import Topics

LAB = Topics.of(Settings.isolated()).lab_procedures.name


class Allowing:
    """Brokers that allow everything but ``taken`` on the topic of the lab."""

    def __init__(self, *taken: Operation) -> None:
        self._taken = taken

    async def operations(self, names: Collection[str]) -> dict[str, int]:
        every = sum(operation.bit for operation in Operation)
        return dict.fromkeys(names, every) | {LAB: every - sum(one.bit for one in self._taken)}


async def missing(monkeypatch: pytest.MonkeyPatch, *taken: Operation) -> list[str]:
    @asynccontextmanager
    async def connected(settings: Settings) -> AsyncIterator[Allowing]:
        yield Allowing(*taken)

    monkeypatch.setattr(Brokers, "connected", connected)
    try:
        await check_acls(Settings.isolated())
    except AccessError as error:
        return str(error).splitlines()
    return []


async def test_each_operation_that_a_worker_lacks_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name as kafka-acls.sh takes it; what it may do is not named."""
    assert await missing(monkeypatch) == []
    for operation in (Operation.READ, Operation.DESCRIBE_CONFIGS):
        assert await missing(monkeypatch, operation) == [f"not allowed: {operation.word} on topic {LAB}"]


async def test_of_a_topic_that_cannot_be_seen_only_what_kafka_tells_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether its settings may be described Kafka does not say, and it may well be allowed."""
    assert await missing(monkeypatch, *Operation) == [f"not allowed: Read on topic {LAB}"]
