"""Transactions in the versions of Kafka's transaction protocol 2 (KIP-890): aiokafka's end before.

Partitions and groups need not be added to a transaction: the broker does that as they are written. And every
end of a transaction gives its producer another epoch, so that nothing sent for one can reach the next.
https://cwiki.apache.org/confluence/display/KAFKA/KIP-890%3A+Transactions+Server-Side+Defense
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactBytes, Int16, Int32, Int64, Schema

from streams.kafka.wire import TAGS, TEXT, per_partition

ACKS_ALL = -1
V = TypeVar("V")


class ProducerId(NamedTuple):
    """Who writes: a producer, in the epoch that the end of its last transaction gave it."""

    id: int
    epoch: int


class _ProduceResponse(Response):  # type: ignore[misc]
    API_KEY = 0
    API_VERSION = 12
    SCHEMA = Schema(
        (
            "topics",
            per_partition(
                ("error_code", Int16),
                ("offset", Int64),
                ("log_append_time", Int64),
                ("log_start_offset", Int64),
                ("record_errors", CompactArray(("index", Int32), ("message", TEXT), TAGS)),
                ("error_message", TEXT),
            ),
        ),
        ("throttle_time_ms", Int32),
        TAGS,
    )


class _ProduceStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 0
    API_VERSION = 12
    RESPONSE_TYPE = _ProduceResponse
    SCHEMA = Schema(
        ("transactional_id", TEXT),
        ("acks", Int16),
        ("timeout_ms", Int32),
        ("topics", per_partition(("records", CompactBytes))),
        TAGS,
    )


class ProduceRequest(Request[_ProduceStruct]):  # type: ignore[misc]
    """One batch of each partition into the producer's transaction, acknowledged by all in-sync replicas."""

    API_KEY = 0

    def __init__(
        self, transactional_id: str, timeout_ms: int, batches: Mapping[TopicPartition, bytes]
    ) -> None:
        self._named = (transactional_id, ACKS_ALL, timeout_ms)
        self._batches = batches

    def build(self, request_struct_class: type[_ProduceStruct]) -> _ProduceStruct:
        topics: list[Any] = [
            (topic, [(partition, batch, {}) for partition, batch in batches], {})
            for topic, batches in _by_topic(self._batches).items()
        ]
        return request_struct_class(*self._named, topics, {})


class _OffsetsResponse(Response):  # type: ignore[misc]
    API_KEY = 28
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", per_partition(("error_code", Int16))),
        TAGS,
    )


class _OffsetsStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 5
    RESPONSE_TYPE = _OffsetsResponse
    SCHEMA = Schema(
        ("transactional_id", TEXT),
        ("group", TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation", Int32),
        ("member", TEXT),
        ("group_instance", TEXT),
        ("topics", per_partition(("offset", Int64), ("leader_epoch", Int32), ("metadata", TEXT))),
        TAGS,
    )


class TxnOffsetCommitRequest(Request[_OffsetsStruct]):  # type: ignore[misc]
    """Offsets of ``group`` into the producer's transaction.

    Of no generation and no member: the producer is fenced by its epoch, not by its place in the group.
    """

    API_KEY = 28

    def __init__(
        self, transactional_id: str, producer: ProducerId, group: str, offsets: Mapping[TopicPartition, int]
    ) -> None:
        self._named = (transactional_id, group, *producer, -1, "", None)
        self._offsets = offsets

    def build(self, request_struct_class: type[_OffsetsStruct]) -> _OffsetsStruct:
        topics: list[Any] = [
            (topic, [(partition, offset, -1, "", {}) for partition, offset in offsets], {})
            for topic, offsets in _by_topic(self._offsets).items()
        ]
        return request_struct_class(*self._named, topics, {})


class _EndResponse(Response):  # type: ignore[misc]
    API_KEY = 26
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        TAGS,
    )


class _EndStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 26
    API_VERSION = 5
    RESPONSE_TYPE = _EndResponse
    SCHEMA = Schema(
        ("transactional_id", TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("committed", Boolean),
        TAGS,
    )


class EndTxnRequest(Request[_EndStruct]):  # type: ignore[misc]
    """Commit the producer's transaction; the answer tells the epoch of its next one."""

    API_KEY = 26

    def __init__(self, transactional_id: str, producer: ProducerId) -> None:
        self._named = (transactional_id, *producer, True)

    def build(self, request_struct_class: type[_EndStruct]) -> _EndStruct:
        return request_struct_class(*self._named, {})


def _by_topic(values: Mapping[TopicPartition, V]) -> dict[str, list[tuple[int, V]]]:
    topics: dict[str, list[tuple[int, V]]] = {}
    for (topic, partition), value in values.items():
        topics.setdefault(topic, []).append((partition, value))
    return topics
