"""Outbox: records on their way into a transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

Headers = list[tuple[str, bytes | None]]
"""A list, not any sequence: aiokafka's record builder is compiled for it."""


class Outbox:
    """Collects records by partition, to be sent as whole batches."""

    def __init__(self) -> None:
        self._records: defaultdict[TopicPartition, list[tuple[bytes | None, bytes | None, Headers]]] = (
            defaultdict(list)
        )

    def add(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
    ) -> None:
        self._records[TopicPartition(topic, partition)].append((key, value, headers or []))

    def batches(self, create_batch: Callable[[], BatchBuilder]) -> dict[TopicPartition, list[BatchBuilder]]:
        """The records of each partition, in as many batches as they need."""
        return {tp: [*_batches(records, create_batch)] for tp, records in self._records.items()}


def _batches(
    records: Iterable[tuple[bytes | None, bytes | None, Headers]], create_batch: Callable[[], BatchBuilder]
) -> Iterator[BatchBuilder]:
    batch = create_batch()
    for key, value, headers in records:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            yield batch
            batch = create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    yield batch
