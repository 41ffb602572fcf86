"""Partitioning: where Kafka's default partitioner puts a key, so that all writers and readers agree."""

from aiokafka.partitioner import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` in a topic of ``partitions``: the same as every Kafka client's default."""
    partition: int = (murmur2(key) & 0x7FFFFFFF) % partitions
    return partition
