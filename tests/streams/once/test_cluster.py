"""Cluster: what the engine asks of Kafka besides reading and writing."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupLoadInProgressError
from aiokafka.protocol.commit import OffsetFetchRequest

from streams.kafka.metadata import TopicsRequest
from streams.once.cluster import Cluster
from tests.streams.once.fakes import an_engine

FOUND = (5, 0, 9, "group", UUID(int=7).hex)
ONE, TWO, THREE = (TopicPartition("source", number) for number in range(3))


class Answer(NamedTuple):
    """Of a group's coordinator, to a question for committed offsets."""

    topics: list[tuple[str, list[tuple[int, int, str, int]]]]
    error_code: int


class Topics:
    """What a broker says of the topic."""

    def to_object(self) -> Any:
        return {"topics": [{"topic": "source", "id": UUID(int=7)}]}


class Kafka:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked: list[list[TopicPartition]] = []
        self.answer = asyncio.Event()
        self.error_code = 0

    async def find_coordinator(self, group: str) -> int:
        return 1

    async def _send_request(self, request: OffsetFetchRequest | TopicsRequest, node: int = 0) -> Any:
        if isinstance(request, TopicsRequest):
            return Topics()
        [(topic, numbers)] = request._partitions
        self.asked.append([TopicPartition(topic, number) for number in numbers])
        await self.answer.wait()
        if self.error_code:
            return Answer([], self.error_code)
        return Answer([(topic, [(number, -1 if number == 2 else 5, "", 0) for number in numbers])], 0)

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
    assert answers == [FOUND, FOUND, (None, *FOUND[1:])]
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
        assert await stays == FOUND
        assert await comes_back == FOUND


async def test_a_coordinator_that_still_loads_is_not_taken_for_one_without_offsets(
    cluster: Cluster, kafka: Kafka
) -> None:
    """Else a lost changelog would pass for a new start and all be charged again. All who asked hear of it."""
    kafka.error_code = GroupLoadInProgressError.errno
    kafka.answer.set()
    answers = await asyncio.gather(cluster.offsets(ONE), cluster.offsets(TWO), return_exceptions=True)
    assert [type(answer) for answer in answers] == [GroupLoadInProgressError, GroupLoadInProgressError]
    kafka.error_code = 0
    assert await cluster.offsets(ONE) == FOUND
