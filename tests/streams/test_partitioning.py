"""Every Kafka client puts a patient into the same partition."""

import pytest
from aiokafka.partitioner import DefaultPartitioner

from streams.partitioning import partition_of


@pytest.mark.parametrize("partitions", [1, 4, 8, 12, 1000])
def test_a_key_lies_where_other_producers_would_put_it(partitions: int) -> None:
    """Numbers above 2**31 included, where a signed hash would be negative."""
    numbers = [*range(partitions)]
    for key in [b"", *(b"UH|%07d" % number for number in range(200))]:
        assert partition_of(key, partitions) == DefaultPartitioner()(key, numbers, numbers)
