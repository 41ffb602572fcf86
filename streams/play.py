"""Playing a file of records into the topics."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.clients import connected, partitions
from streams.errors import PerdiemError
from streams.settings import Settings

MAX_BATCH = 256 << 10
PENDING = 32
"""Batches on their way at most."""
BREATH = 500
"""Records between two looks at the clock, and between two turns for others."""


class PlayError(PerdiemError):
    """A file that cannot be played; the line and the field are named."""


class Record(NamedTuple):
    """One record of a file. ``topic`` is without the prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    topic: str
    key: str | None = None
    value: msgspec.Raw = msgspec.Raw()
    value_base64: str | None = None
    headers: dict[str, str] = {}


_decode = msgspec.json.Decoder(_Line).decode


def read_lines(lines: Iterable[bytes]) -> Iterator[Record]:
    """The records of a file of JSON lines; raises ``PlayError`` at the first that is none."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = _decode(line)
            value = bytes(said.value) or None
            if said.value_base64 is not None:
                value = base64.b64decode(said.value_base64, validate=True)
        except msgspec.DecodeError as error:
            raise PlayError(f"line {number}: {error}") from error
        except binascii.Error as error:
            raise PlayError(f"line {number}: value_base64: expected base64") from error
        headers = [(name, text.encode()) for name, text in said.headers.items()]
        yield Record(said.topic, None if said.key is None else said.key.encode(), value, headers)


def read_file(path: Path) -> Iterator[Record]:
    """The records of the file at ``path``; raises ``PlayError``."""
    try:
        with path.open("rb") as file:
            yield from read_lines(file)
    except PlayError as error:
        raise PlayError(f"{path}: {error}") from error
    except OSError as error:
        raise PlayError(f"{path}: {error.strerror}") from error


class Player:
    """Fills batches by partition and sends what is full. Keys go where Kafka's own partitioner puts them."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partitioner = DefaultPartitioner()
        self._partitions: dict[str, list[int]] = {}
        self._filling: dict[tuple[str, int], BatchBuilder] = {}
        self._sent: set[asyncio.Future[Any]] = set()

    async def find(self, topics: Iterable[str]) -> None:
        """Look ``topics`` up, named as in a record; raises ``BrokersError`` that names the missing ones."""
        self._partitions |= await partitions(self._producer.client, [self._prefix + name for name in topics])

    async def put(self, record: Record) -> None:
        """Take one record; waits while too many batches are on their way."""
        topic = self._prefix + record.topic
        if topic not in self._partitions:
            await self.find([record.topic])
        numbers = self._partitions[topic]
        place = (topic, self._partitioner(record.key, numbers, numbers))
        batch = self._filling.get(place) or self._begin(place)
        taken = {"timestamp": None, "key": record.key, "value": record.value, "headers": record.headers}
        if batch.append(**taken) is None:
            await self._send(place)
            if self._begin(place).append(**taken) is None:
                raise PlayError(f"{topic}: a record is larger than {MAX_BATCH} bytes")

    async def flush(self) -> None:
        """Send what is being filled and wait until the broker has all."""
        for place in [*self._filling]:
            await self._send(place)
        for sent in [*self._sent]:
            await sent
        self._sent.clear()

    def _begin(self, place: tuple[str, int]) -> BatchBuilder:
        batch = self._filling[place] = self._producer.create_batch()
        return batch

    async def _send(self, place: tuple[str, int]) -> None:
        while len(self._sent) >= PENDING:
            done, self._sent = await asyncio.wait(self._sent, return_when=asyncio.FIRST_COMPLETED)
            for sent in done:
                sent.result()
        topic, partition = place
        batch = self._filling.pop(place)
        if batch.record_count():
            self._sent.add(await self._producer.send_batch(batch, topic, partition=partition))


@asynccontextmanager
async def player(settings: Settings) -> AsyncIterator[Player]:
    """A player to the broker that ``settings`` name. Raises ``BrokersError``."""
    async with connected(
        settings,
        AIOKafkaProducer,
        enable_idempotence=True,
        acks="all",
        max_batch_size=MAX_BATCH,
        linger_ms=5,
    ) as producer:
        yield Player(producer, settings.topic_prefix)


async def play(
    settings: Settings, records: Iterable[Record], rate: float | None = None, topics: Collection[str] = ()
) -> int:
    """Send ``records``, at most ``rate`` a second; how many were sent.

    ``topics`` are theirs, where they are known before: nothing is sent if one is missing.
    Raises ``PlayError``, ``BrokersError``.
    """
    clock = asyncio.get_running_loop().time
    breath = BREATH if rate is None else max(1, min(BREATH, int(rate / 20)))
    count = 0
    async with player(settings) as sink:
        await sink.find(topics)
        began = clock()
        for count, record in enumerate(records, start=1):
            await sink.put(record)
            if count % breath == 0:
                if rate is not None:
                    await sink.flush()
                await asyncio.sleep(max(0.0, began + count / rate - clock()) if rate else 0)
        await sink.flush()
    return count
