"""Wire: parts of Kafka's flexible messages (KIP-482), which aiokafka defines but does not put together."""

from typing import Any

from aiokafka.protocol.types import CompactArray, CompactString, Int32, TaggedFields

TEXT = CompactString("utf-8")
TAGS = ("tags", TaggedFields)


def per_partition(*fields: tuple[str, Any]) -> CompactArray:
    """``fields`` of each partition, by topic."""
    partitions = CompactArray(("partition", Int32), *fields, TAGS)
    return CompactArray(("topic", TEXT), ("partitions", partitions), TAGS)
