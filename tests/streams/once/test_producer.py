"""Producer: what it makes of each answer that a broker may give."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    ConcurrentTransactions,
    GroupLoadInProgressError,
    InvalidTxnState,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from streams.kafka.transactions import EndTxnRequest, ProduceRequest, ProducerId, TxnOffsetCommitRequest
from streams.once import producer as module
from streams.once.outbox import Outbox
from streams.once.producer import Producer

GROUP = "group"
SOURCE = TopicPartition("source", 0)
ONE, OTHER = TopicPartition("one", 0), TopicPartition("other", 0)
LEADERS = {ONE: 1, OTHER: 2}
Asked = tuple[int, Any]


class Brokers:
    """A client whose answers are ``errors`` of a request, one after the other, and then what is right."""

    def __init__(self) -> None:
        self.cluster = SimpleNamespace(unauthorized_topics=set(), leader_for_partition=LEADERS.get)
        self.errors: dict[type, list[int | Exception]] = {}
        self.asked: list[Asked] = []
        self.looked_up = 0
        self.refreshed = 0
        self.next = ProducerId(7, 1)
        self._topics = {"one", "other"}

    async def bootstrap(self) -> None: ...

    async def close(self) -> None: ...

    def force_metadata_update(self) -> None:
        self.refreshed += 1

    async def coordinator_lookup(self, kind: int, key: str) -> int:
        self.looked_up += 1
        return 3

    async def send(self, node: int, request: Any, **how: Any) -> Any:
        self.asked.append((node, request))
        left = self.errors.get(type(request), [])
        error = left.pop(0) if left else 0
        if isinstance(error, Exception):
            raise error
        match request:
            case ProduceRequest():
                topics: dict[str, list[Any]] = {}
                for tp in request._batches:
                    topics.setdefault(tp.topic, []).append((tp.partition, error, 100, -1, 0, [], None, {}))
                return SimpleNamespace(topics=[(topic, parts, {}) for topic, parts in topics.items()])
            case TxnOffsetCommitRequest():
                return SimpleNamespace(topics=[(SOURCE.topic, [(SOURCE.partition, error, {})], {})])
            case _:
                return SimpleNamespace(
                    error_code=error, producer_id=self.next.id, producer_epoch=self.next.epoch
                )

    def batches(self) -> list[Asked]:
        """Each write that was asked for: the leader, and the partitions."""
        return [(node, {*asked._batches}) for node, asked in self.asked if isinstance(asked, ProduceRequest)]

    def asked_for(self, kind: type) -> int:
        return sum(isinstance(request, kind) for _, request in self.asked)


@pytest.fixture
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
async def producer(brokers: Brokers, monkeypatch: pytest.MonkeyPatch) -> Producer:
    monkeypatch.setattr(module, "_SHORTEST", 0.0)
    producer = Producer({"bootstrap_servers": "127.0.0.1:1"}, "id", transaction_timeout=24, request_timeout=3)
    producer._client = cast(Any, brokers)
    await producer.start()
    return producer


async def write(producer: Producer) -> dict[TopicPartition, int]:
    outbox = Outbox()
    for tp in LEADERS:
        outbox.add(tp.topic, tp.partition, b"key", b"value")
        outbox.add(tp.topic, tp.partition, b"key", b"value")
    return await producer.write(outbox.batches(producer.create_batch), {SOURCE: 5}, GROUP)


async def test_each_leader_gets_its_own_and_the_places_are_those_of_the_last_records(
    producer: Producer, brokers: Brokers
) -> None:
    """One request a leader, one for the offsets."""
    assert await write(producer) == {ONE: 101, OTHER: 101}
    assert sorted(brokers.batches()) == [(1, {ONE}), (2, {OTHER})]
    assert brokers.asked_for(TxnOffsetCommitRequest) == 1


@pytest.mark.parametrize(
    "error", [NotLeaderForPartitionError.errno, KafkaConnectionError()], ids=["moved", "cut off"]
)
async def test_what_was_refused_is_sent_again_and_nothing_else(
    producer: Producer, brokers: Brokers, error: int | Exception
) -> None:
    """Where a leader moved or is gone it is looked up; the other's batch is not sent twice."""
    brokers.errors[ProduceRequest] = [error]
    assert await write(producer) == {ONE: 101, OTHER: 101}
    assert brokers.batches() == [(1, {ONE}), (2, {OTHER}), (1, {ONE})]
    assert brokers.refreshed == 1


@pytest.mark.parametrize("passes", [ConcurrentTransactions, GroupLoadInProgressError])
@pytest.mark.parametrize("request_type", [TxnOffsetCommitRequest, EndTxnRequest])
async def test_what_passes_is_asked_again_however_often(
    producer: Producer, brokers: Brokers, request_type: type, passes: type[Any]
) -> None:
    """The markers of the transaction before, or a coordinator that loads, may take their time."""
    before = brokers.looked_up
    brokers.errors[request_type] = [passes.errno] * 1100
    await write(producer)
    await producer.commit()
    assert brokers.asked_for(request_type) == 1101
    assert brokers.looked_up == before + 1  # the group's, asked for the first time


@pytest.mark.parametrize("request_type", [TxnOffsetCommitRequest, EndTxnRequest, InitProducerIdRequest])
async def test_a_coordinator_that_moved_is_looked_up_anew(
    producer: Producer, brokers: Brokers, request_type: type
) -> None:
    """The one known before says so itself."""
    brokers.errors[request_type] = [NotCoordinatorForGroupError.errno]
    before = brokers.looked_up
    await producer.start()
    await write(producer)
    await producer.commit()
    assert brokers.looked_up > before + 1


async def test_the_next_transaction_has_the_epoch_and_id_that_the_end_of_the_last_one_gave(
    producer: Producer, brokers: Brokers
) -> None:
    """The epochs of an id end at 32,767; then there is another id."""
    await write(producer)
    brokers.next = ProducerId(8, 0)
    await producer.commit()
    await write(producer)
    offsets = [asked for _, asked in brokers.asked if isinstance(asked, TxnOffsetCommitRequest)]
    assert [asked._named[2:4] for asked in offsets] == [(7, 1), (8, 0)]


@pytest.mark.parametrize(
    ("code", "raised", "said"),
    [
        (47, ProducerFenced, "newer producer"),
        (90, ProducerFenced, "newer producer"),
        (InvalidTxnState.errno, InvalidTxnState, "48"),
        (OutOfOrderSequenceNumber.errno, OutOfOrderSequenceNumber, "45"),
        (TopicAuthorizationFailedError.errno, TopicAuthorizationFailedError, "one|other"),
        (120, KafkaError, "Kafka's error 120"),
    ],
)
async def test_what_does_not_pass_is_raised_at_once(
    producer: Producer, brokers: Brokers, code: int, raised: type[Exception], said: str
) -> None:
    """Nothing is asked again, not even what else was under way."""
    brokers.errors[ProduceRequest] = [code, code]
    brokers.errors[TxnOffsetCommitRequest] = [GroupLoadInProgressError.errno] * 1000
    with pytest.raises(raised, match=said):
        await write(producer)
    await at_rest(brokers)


async def at_rest(brokers: Brokers) -> None:
    """Nobody asks any more."""
    asked = -1
    while asked != len(brokers.asked):
        asked = len(brokers.asked)
        await asyncio.sleep(0)
    assert asked < 100


async def test_a_topic_that_may_not_be_seen_is_named(producer: Producer, brokers: Brokers) -> None:
    """Not waited for, as one that has no leader is."""
    brokers.cluster.unauthorized_topics.add("other")
    with pytest.raises(TopicAuthorizationFailedError, match="other"):
        await write(producer)
