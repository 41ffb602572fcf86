"""Cluster: what the engine asks of Kafka besides reading and writing."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    BrokerResponseError,
    GroupLoadInProgressError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
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

    def __init__(self, error_code: int) -> None:
        self._error_code = error_code

    def to_object(self) -> Any:
        number = 0 if self._error_code else 7
        return {"topics": [{"topic": "source", "id": UUID(int=number), "error_code": self._error_code}]}


class Kafka:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked: list[list[TopicPartition]] = []
        self.answer = asyncio.Event()
        self.refuses: dict[type[Any], list[type[BrokerResponseError]]] = {}
        """By kind of question, how it is refused before it is answered."""
        self.left_out: TopicPartition | None = None

    async def find_coordinator(self, group: str) -> int:
        return 1

    async def _send_request(self, request: OffsetFetchRequest | TopicsRequest, node: int = 0) -> Any:
        refusals = self.refuses.get(type(request))
        error_code = refusals.pop(0).errno if refusals else 0
        if isinstance(request, TopicsRequest):
            return Topics(error_code)
        [(topic, numbers)] = request._partitions
        self.asked.append([TopicPartition(topic, number) for number in numbers])
        await self.answer.wait()
        if error_code:
            return Answer([], error_code)
        return Answer([(topic, [(number, -1 if number == 2 else 5, "", 0) for number in numbers])], 0)

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: 0 for tp in tps if tp != self.left_out}

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
    monkeypatch.setattr("streams.once.cluster._PAUSE", 0)
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


@pytest.mark.parametrize("question", [OffsetFetchRequest, TopicsRequest])
async def test_an_answer_that_passes_is_not_taken_for_one(
    cluster: Cluster, kafka: Kafka, question: type[Any]
) -> None:
    """A coordinator that loads is no group without offsets: a lost changelog would pass for a new start.

    Nor has a topic the id 0 that Kafka names while it does not see it. It is asked until it knows.
    """
    kafka.answer.set()
    kafka.refuses = {question: [GroupLoadInProgressError, UnknownTopicOrPartitionError]}
    assert await cluster.offsets(ONE) == FOUND


@pytest.mark.parametrize("question", [OffsetFetchRequest, TopicsRequest])
async def test_a_question_that_kafka_does_not_answer_ends_for_all_who_asked(
    cluster: Cluster, kafka: Kafka, monkeypatch: pytest.MonkeyPatch, question: type[Any]
) -> None:
    """At once what does not pass, such as a missing ACL, in time what does; the next question is another."""
    kafka.answer.set()
    for refusal, patience in ((TopicAuthorizationFailedError, 60), (UnknownTopicOrPartitionError, -1)):
        monkeypatch.setattr("streams.once.cluster._PATIENCE", patience)
        kafka.refuses = {question: [refusal]}
        answers = await asyncio.gather(cluster.offsets(ONE), cluster.offsets(TWO), return_exceptions=True)
        assert [type(answer) for answer in answers] == [refusal, refusal]
    assert await cluster.offsets(ONE) == FOUND


async def test_an_answer_that_leaves_out_a_partition_ends_the_waiting_too(
    cluster: Cluster, kafka: Kafka
) -> None:
    """Nobody waits for ever for what does not come."""
    kafka.answer.set()
    kafka.left_out = TWO
    async with asyncio.timeout(5):
        answers = await asyncio.gather(cluster.offsets(ONE), cluster.offsets(TWO), return_exceptions=True)
    assert [type(answer) for answer in answers] == [KeyError, KeyError]


async def test_a_question_for_topics_alone_asks_for_nothing_else(
    cluster: Cluster, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Owners kept over a rebalance wait for it; it is bounded, whatever the broker that was asked does."""
    kafka.refuses = {TopicsRequest: [UnknownTopicOrPartitionError]}
    assert await cluster.topic_ids({"source"}) == {"source": UUID(int=7).hex}
    assert kafka.asked == []

    async def silent(request: TopicsRequest) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(kafka, "_send_request", silent)
    monkeypatch.setattr("streams.once.cluster._PATIENCE", 0.01)
    with pytest.raises(TimeoutError):
        await cluster.topic_ids({"source"})
