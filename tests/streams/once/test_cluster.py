"""Cluster: what the engine asks of Kafka besides reading and writing."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.once.cluster import Cluster
from tests.streams.once.fakes import an_engine

ONE, TWO, THREE = (TopicPartition("source", number) for number in range(3))


class At(NamedTuple):
    offset: int


class Kafka:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked: list[list[TopicPartition]] = []
        self.answer = asyncio.Event()
        self.error: Exception | None = None

    async def list_consumer_group_offsets(
        self, group: str, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, At]:
        self.asked.append(partitions)
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return {tp: At(-1 if tp == THREE else 5) for tp in partitions}

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 0)

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 9)


@pytest.fixture
async def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
async def cluster(tmp_path: Path, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    async def connect(cluster: Cluster) -> tuple[Any, Any]:
        return kafka, kafka

    monkeypatch.setattr(Cluster, "_connect", connect)
    return Cluster(an_engine(tmp_path), "group")


async def test_questions_asked_together_are_one_request(cluster: Cluster, kafka: Kafka) -> None:
    """Hundreds of partitions start with a handful of requests; a missing commit is None."""
    kafka.answer.set()
    answers = await asyncio.gather(*map(cluster.offsets, (ONE, TWO, THREE)))
    assert answers == [(5, 0, 9), (5, 0, 9), (None, 0, 9)]
    assert kafka.asked == [[ONE, TWO, THREE]]


async def test_a_cancelled_question_does_not_take_the_answer_from_others(
    cluster: Cluster, kafka: Kafka
) -> None:
    """A partition leaves in the middle: the others, and it when it comes back, still get theirs."""
    leaves, stays = (asyncio.create_task(cluster.offsets(tp)) for tp in (ONE, TWO))
    await asyncio.sleep(0)
    leaves.cancel()
    comes_back = asyncio.create_task(cluster.offsets(ONE))
    await asyncio.sleep(0)
    kafka.answer.set()
    async with asyncio.timeout(5):
        assert await stays == (5, 0, 9)
        assert await comes_back == (5, 0, 9)


async def test_an_error_reaches_everybody_who_asked(cluster: Cluster, kafka: Kafka) -> None:
    """Nobody waits for an answer that does not come; the next question is asked anew."""
    kafka.error = KafkaError()
    kafka.answer.set()
    answers = await asyncio.gather(cluster.offsets(ONE), cluster.offsets(TWO), return_exceptions=True)
    assert [type(answer) for answer in answers] == [KafkaError, KafkaError]
    kafka.error = None
    assert await cluster.offsets(ONE) == (5, 0, 9)
