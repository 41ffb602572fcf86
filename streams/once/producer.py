"""Producer: writes transactions under one transactional id, one after the other."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    BrokerResponseError,
    ConcurrentTransactions,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    ProducerFenced,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from streams.kafka.transactions import (
    EndTxnRequest,
    ProduceRequest,
    ProducerId,
    TxnOffsetCommitRequest,
)

log = logging.getLogger(__name__)

MAX_BATCH = 900_000
"""Bytes of one produced batch: below the broker's default message.max.bytes of 1,048,588."""
COMPRESSION = LegacyRecordBatchBuilder.CODEC_SNAPPY
"""Changelog and outputs repeat each other: a sixth of the bytes, for 2 us an event."""
_SHORTEST, _DOUBLED = 0.005, 5
"""Seconds until a request is sent again, and how often they double: to 0.16."""
_TOLD = 8
"""Of how many tries the log tells, once: after more than half a second."""
_PRODUCER_FENCED = 90
"""A coordinator's word for it. aiokafka's errors end before."""
_MOVED = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)
_CUT_OFF = (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError)
FENCED = (ProducerFenced, InvalidProducerIdMapping, InvalidTxnState)
"""What is said to whoever has lost the transactional id, or the last of them, whose transaction timed out."""

Batches = Mapping[TopicPartition, Sequence[BatchBuilder]]


class Producer:
    """A transaction begins with a ``write`` and ends with ``commit``. Nobody aborts one here: a successor
    does, as it starts, and the broker after ``transaction_timeout``.

    What passes is tried again without end: whoever calls has a deadline. aiokafka's own producer speaks the
    former protocol, in which a commit takes five requests, four of them one after the other. Here it takes
    three where one broker leads all partitions, two of them at the same time; and what was sent for one
    transaction can never reach another.
    """

    def __init__(
        self,
        kafka: Mapping[str, Any],
        transactional_id: str,
        *,
        transaction_timeout: float,
        request_timeout: float,
    ) -> None:
        self._transactional_id = transactional_id
        self._transaction_timeout_ms = int(transaction_timeout * 1000)
        self._request_timeout_ms = int(request_timeout * 1000)
        self._client = AIOKafkaClient(
            **kafka, client_id=transactional_id, request_timeout_ms=self._request_timeout_ms
        )
        self._coordinators: dict[tuple[int, str], int] = {}
        self._producer = ProducerId(-1, -1)
        self._records: defaultdict[TopicPartition, int] = defaultdict(int)
        """Written in this transaction. They are numbered from 0: each transaction has an epoch of its own."""

    async def start(self) -> None:
        """Fence a former user of the transactional id, and end what it left open. Raises KafkaError."""
        await self._client.bootstrap()
        request = InitProducerIdRequest(self._transactional_id, self._transaction_timeout_ms)
        self._producer = await self._ask_transactions(request)

    async def stop(self) -> None:
        await self._client.close()

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(MAX_BATCH, COMPRESSION, is_transactional=1)

    async def write(
        self, batches: Batches, offsets: Mapping[TopicPartition, int], group: str
    ) -> dict[TopicPartition, int]:
        """Write ``batches``, and ``offsets`` of ``group``, into the transaction; all is acknowledged then.

        Returns the offset of the last record of each partition. Raises KafkaError; one of ``FENCED`` where
        another has the transactional id, or the transaction timed out.
        """
        written = asyncio.create_task(self._write_batches(batches))
        committed = asyncio.create_task(self._write_offsets(offsets, group))
        try:
            await asyncio.gather(written, committed)
        finally:
            # What one of them failed on the other would try for ever.
            written.cancel()
            committed.cancel()
        return written.result()

    async def commit(self) -> None:
        """Raises KafkaError, as ``write`` does. Whether it was committed, only who starts anew finds out."""
        self._producer = await self._ask_transactions(EndTxnRequest(self._transactional_id, self._producer))
        self._records.clear()

    async def _write_batches(self, batches: Batches) -> dict[TopicPartition, int]:
        """A request takes one batch of a partition: the second ones follow when the first are written."""
        last: dict[TopicPartition, int] = {}
        for turn in range(max(map(len, batches.values()))):
            batch_of = {tp: several[turn] for tp, several in batches.items() if turn < len(several)}
            for tp, batch in batch_of.items():
                batch._set_producer_state(*self._producer, self._records[tp])
                self._records[tp] += batch.record_count()
            first = await self._produce({tp: batch._build() for tp, batch in batch_of.items()})
            last |= {tp: offset + batch_of[tp].record_count() - 1 for tp, offset in first.items()}
        return last

    async def _produce(self, pending: dict[TopicPartition, bytes]) -> dict[TopicPartition, int]:
        """The offset of the first record of each. Sent twice they are written once: they are numbered."""
        first: dict[TopicPartition, int] = {}
        for tries in count():
            by_leader: defaultdict[int | None, dict[TopicPartition, bytes]] = defaultdict(dict)
            for tp, batch in pending.items():
                by_leader[self._leader(tp)][tp] = batch
            for written in await asyncio.gather(*(self._send(*each, tries) for each in by_leader.items())):
                first |= written
            pending = {tp: batch for tp, batch in pending.items() if tp not in first}
            if not pending:
                break
            await _pause(tries)
        return first

    def _leader(self, tp: TopicPartition) -> int | None:
        """None while it is not known. Raises TopicAuthorizationFailedError."""
        if tp.topic in self._client.cluster.unauthorized_topics:
            raise TopicAuthorizationFailedError(tp.topic)
        if tp.topic not in self._client._topics:
            self._client.add_topic(tp.topic)
        leader: int | None = self._client.cluster.leader_for_partition(tp)
        return None if leader == -1 else leader

    async def _send(
        self, leader: int | None, batches: dict[TopicPartition, bytes], tries: int
    ) -> dict[TopicPartition, int]:
        """The offsets of those that were written; the others are to be sent again."""
        written: dict[TopicPartition, int] = {}
        try:
            if leader is None:
                raise LeaderNotAvailableError
            request = ProduceRequest(self._transactional_id, self._request_timeout_ms, batches)
            answer = await self._client.send(leader, request)
        except KafkaError as error:
            self._passes(error, ", ".join(sorted({tp.topic for tp in batches})), tries)
            return written
        for topic, partitions, _ in answer.topics:
            for partition, code, offset, *_ in partitions:
                if code:
                    self._passes(self._error(code, topic), topic, tries)
                else:
                    written[TopicPartition(topic, partition)] = offset
        return written

    async def _write_offsets(self, offsets: Mapping[TopicPartition, int], group: str) -> None:
        def errors(answer: Any) -> list[KafkaError]:
            return [
                self._error(code, topic, group)
                for topic, partitions, _ in answer.topics
                for _, code, _ in partitions
                if code
            ]

        request = TxnOffsetCommitRequest(self._transactional_id, self._producer, group, offsets)
        await self._ask(CoordinationType.GROUP, group, request, errors)

    async def _ask_transactions(self, request: Any) -> ProducerId:
        """Who writes from now on, as the transaction coordinator answers ``request``."""

        def errors(answer: Any) -> list[KafkaError]:
            return [self._error(answer.error_code)] if answer.error_code else []

        answer = await self._ask(CoordinationType.TRANSACTION, self._transactional_id, request, errors)
        return ProducerId(answer.producer_id, answer.producer_epoch)

    async def _ask(
        self, kind: int, key: str, request: Any, errors: Callable[[Any], Sequence[KafkaError]]
    ) -> Any:
        """What the coordinator of ``key`` answers, once there are no ``errors`` in it."""
        what = f"coordinator of {key}"
        for tries in count():
            try:
                if (kind, key) not in self._coordinators:
                    self._coordinators[kind, key] = await self._client.coordinator_lookup(kind, key)
                node = self._coordinators[kind, key]
                answer = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            except BrokerResponseError as error:
                self._passes(self._error(error.errno, group=key), what, tries)
            except KafkaError as error:
                self._passes(error, what, tries)
            else:
                found = errors(answer)
                if not found:
                    break
                for each in found:
                    self._passes(each, what, tries)
            await _pause(tries)
        return answer

    def _passes(self, error: KafkaError, what: str, tries: int) -> None:
        """Raises ``error`` unless it passes by itself. What it says has moved is looked up anew."""
        if not error.retriable and not isinstance(error, ConcurrentTransactions):
            raise error
        if tries == _TOLD:
            told = {"transactional_id": self._transactional_id, "of": what, "error": type(error).__name__}
            log.warning("a write to Kafka is tried again", extra=told)
        if isinstance(error, (*_MOVED, *_CUT_OFF)):
            self._coordinators.clear()
        if error.invalid_metadata or isinstance(error, _CUT_OFF):
            # Not waited for: of a broker that is gone the client hears nothing for a request's time.
            self._client.force_metadata_update()

    def _error(self, code: int, topic: str = "", group: str = "") -> KafkaError:
        """Names what was denied, as ``streams.kafka.denied`` tells it."""
        if code in (_PRODUCER_FENCED, InvalidProducerEpoch.errno):
            return ProducerFenced()
        kind = for_code(code)
        if kind.errno != code:
            return KafkaError(f"Kafka's error {code}")
        named = {
            TopicAuthorizationFailedError: topic,
            GroupAuthorizationFailedError: group,
            TransactionalIdAuthorizationFailed: self._transactional_id,
        }
        return kind(named[kind]) if named.get(kind) else kind()


async def _pause(tries: int) -> None:
    await asyncio.sleep(_SHORTEST * 2 ** min(tries, _DOUBLED))
