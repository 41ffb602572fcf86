"""Batch: what came of one partition while the batch before it was committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition

if TYPE_CHECKING:
    from streams.once.owner import Owner


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition, with the consumer's own position before and after them.

    Positions and epoch are read in the same synchronous step as the drain: with positions from
    the owner's bookkeeping the chain check could not fail, and 2,000 records were lost unseen.
    ``records`` may be empty: then only transaction markers came.
    """

    tp: TopicPartition
    start: int
    end: int
    records: Sequence[Any]
    """aiokafka ConsumerRecords: topic, partition, offset, timestamp, headers, key, value."""
    owner: "Owner"
    epoch: int
