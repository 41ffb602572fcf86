"""Reading a topic from its beginning to its committed end, for those who look and change nothing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from streams.clients import connected, partitions
from streams.errors import PerdiemError
from streams.kafka.consumer import Consumer
from streams.settings import Settings

STALL = 30.0
"""Seconds without a record and without progress after which a read is given up."""
POLL_MS = 500
FETCH_BYTES = 8 << 20


class ReadingError(PerdiemError):
    """A topic that cannot be read to its end."""


class Span(NamedTuple):
    """Offsets of a partition: from the first that is there to the last committed one."""

    begin: int
    end: int
    """One behind the last."""


class Reader:
    """Reads under read_committed, outside every group; commits and resets nothing.

    Every method raises ``BrokersError`` where a topic is missing or the broker is not reached, and
    ``ReadingError`` where a read stands still.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def spans(self, *topics: str) -> dict[TopicPartition, Span]:
        """The partitions of ``topics`` in order, and what each holds now."""
        found = await partitions(self._consumer._client, topics)
        places = [TopicPartition(topic, partition) for topic in found for partition in found[topic]]
        begins = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        return {place: Span(begins[place], ends[place]) for place in places}

    async def read(self, spans: dict[TopicPartition, Span]) -> AsyncGenerator[list[ConsumerRecord], None]:
        """The records of ``spans``, in polls; those of one partition in the order of its log.

        Whoever leaves before the end closes it.
        """
        ahead = {partition: span.end for partition, span in spans.items() if span.begin < span.end}
        if not ahead:
            return
        self._consumer.assign([*ahead])
        for partition in ahead:
            self._consumer.seek(partition, spans[partition].begin)
        clock = asyncio.get_running_loop().time
        progress = clock()
        try:
            while ahead:
                polled = await self._consumer.getmany(*ahead, timeout_ms=POLL_MS)
                for partition, records in polled.items():
                    wanted = [record for record in records if record.offset < ahead[partition]]
                    if wanted:
                        progress = clock()
                        yield wanted
                for partition in [*ahead]:
                    if await self._consumer.position(partition) >= ahead[partition]:
                        progress = clock()
                        del ahead[partition]
                        self._consumer.pause(partition)
                if clock() - progress > STALL:
                    raise ReadingError(f"{next(iter(ahead)).topic} stands still: no record for {STALL:.0f} s")
        finally:
            # Left to itself the consumer asks on, and whatever else is asked waits behind that.
            self._consumer.pause(*(ahead.keys() & self._consumer.assignment()))

    async def record(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """The one record of this place; None if there is none, or none any more."""
        place = TopicPartition(topic, partition)
        span = (await self.spans(topic)).get(place)
        if span is None or not span.begin <= offset < span.end:
            return None
        self._consumer.assign([place])
        self._consumer.seek(place, offset)
        try:
            async with asyncio.timeout(STALL):
                while await self._consumer.position(place) <= offset:
                    polled = await self._consumer.getmany(place, timeout_ms=POLL_MS, max_records=1)
                    for record in polled.get(place, ()):
                        return record if record.offset == offset else None
        except TimeoutError:
            raise ReadingError(f"{topic} stands still: no record for {STALL:.0f} s") from None
        return None

    async def follow(
        self, topic: str, spans: dict[TopicPartition, Span]
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """What is written behind ``spans`` of ``topic``, as it comes, without an end."""
        behind = [partition for partition in spans if partition.topic == topic]
        self._consumer.assign(behind)
        for partition in behind:
            self._consumer.seek(partition, spans[partition].end)
        while True:
            polled = await self._consumer.getmany(*behind, timeout_ms=POLL_MS)
            for records in polled.values():
                yield records


@asynccontextmanager
async def reader(settings: Settings, fetch_bytes: int = FETCH_BYTES) -> AsyncIterator[Reader]:
    """A reader of the broker that ``settings`` name. ``fetch_bytes`` are asked for at once of a partition."""
    async with connected(
        settings,
        Consumer,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=fetch_bytes,
    ) as consumer:
        yield Reader(consumer)
