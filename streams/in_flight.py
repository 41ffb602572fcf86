"""In flight: records that the agents have not processed yet."""

import asyncio
import time
from contextlib import aclosing

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.clients import connected
from streams.errors import PerdiemError
from streams.kafka.group import committed
from streams.reading import Reader, Span, reader
from streams.settings import Settings
from streams.topics import Topics

_ASK_EVERY = 0.2


class NotProcessedError(PerdiemError):
    """Records are still in flight after the time given."""


async def wait_until_processed(settings: Settings, *, seconds: float) -> None:
    """Wait until every record of the source topics, and what became of it on its whole way, is processed.

    Raises NotProcessedError after ``seconds``, BrokersError.
    """
    deadline = time.monotonic() + seconds
    topics = Topics.of(settings)
    read = [name for logs in topics.agents.values() for name in logs]
    async with connected(settings, AIOKafkaAdminClient) as admin, reader(settings) as source:
        while True:
            spans = await source.spans(*read)
            # Records go round, and one could be behind the question wherever it is asked. Not if nothing was
            # written since: then nothing was on its way.
            if not await _any_left(admin, source, settings.app_id, spans) and spans == await source.spans(
                *read
            ):
                return
            if time.monotonic() > deadline:
                raise NotProcessedError(f"records are still in flight after {seconds:.0f} s")
            await asyncio.sleep(_ASK_EVERY)


async def _any_left(
    admin: AIOKafkaAdminClient, source: Reader, group: str, spans: dict[TopicPartition, Span]
) -> bool:
    """Whether a record lies behind what the group committed. Transaction markers are none."""
    try:
        offsets = await committed(admin, group, spans)
    except KafkaError as error:
        if not error.retriable:
            raise
        offsets = {}  # a Kafka that has not had a group yet makes its topic of offsets only now
    left: dict[TopicPartition, Span] = {}
    for tp, span in spans.items():
        begin = max(span.begin, offsets.get(tp, -1))
        if begin < span.end:
            left[tp] = Span(begin, span.end)
    async with aclosing(source.read(left)) as reading:
        async for records in reading:
            if records:
                return True
    return False
