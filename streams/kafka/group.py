"""Group: what a consumer group has committed."""

from collections import defaultdict
from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.commit import OffsetFetchRequest


async def committed(
    admin: AIOKafkaAdminClient, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offsets that ``group`` committed; a partition without one is left out. Raises ``KafkaError``.

    aiokafka's own overlooks what is wrong with an answer as a whole: a coordinator that still loads, or
    that may not tell, would pass for a group that never committed.
    """
    asked: defaultdict[str, list[int]] = defaultdict(list)
    for tp in partitions:
        asked[tp.topic].append(tp.partition)
    node = await admin.find_coordinator(group)
    answer = await admin._send_request(OffsetFetchRequest(group, [*asked.items()]), node)
    if answer.error_code:
        raise for_code(answer.error_code)(group)
    found = {}
    for topic, offsets in answer.topics:
        for partition, offset, _, code in offsets:
            if code:
                raise for_code(code)(topic)
            if offset >= 0:
                found[TopicPartition(topic, partition)] = offset
    return found
