"""Cluster: what the engine asks of Kafka besides reading and writing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.kafka.consumer import Consumer
from streams.kafka.group import committed
from streams.kafka.metadata import topic_ids
from streams.once.engine import Engine
from streams.once.restore import reader
from streams.once.resume import Offsets

T = TypeVar("T")
_PATIENCE = 10.0
"""Seconds for which a question is asked again: a coordinator loads, a leader is chosen, a broker restarts."""
_PAUSE = 0.2


class Cluster:
    """Cluster id and offsets. Questions asked together are answered by one request each."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._engine = engine
        self._group = group
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: Consumer | None = None
        self._lock = asyncio.Lock()
        self._id: str | None = None
        self._asked: dict[TopicPartition, asyncio.Future[Offsets]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def _connect(self) -> tuple[AIOKafkaAdminClient, Consumer]:
        async with self._lock:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._engine.kafka)
                await admin.start()
                self._admin = admin
            if self._consumer is None:
                consumer = reader(self._engine, "read_uncommitted")
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
        return self._admin, self._consumer

    async def id(self) -> str:
        if self._id is None:
            admin, _ = await self._connect()
            self._id = str((await admin.describe_cluster())["cluster_id"])
        return self._id

    async def offsets(self, tp: TopicPartition) -> Offsets:
        """Ask for ``tp``; what is asked in the meantime goes with the next request."""
        future = self._asked.setdefault(tp, asyncio.get_running_loop().create_future())
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all(), name="offsets")
        # Shared: whoever is cancelled while waiting must not take the answer from the others.
        return await asyncio.shield(future)

    async def topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        """In one small request. Raises KafkaError or TimeoutError if it is not answered."""
        async with asyncio.timeout(_PATIENCE):
            return await _patiently(partial(self._topic_ids, topics))

    async def _topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        admin, _ = await self._connect()
        return await topic_ids(admin, topics)

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            await self._answer(asked)

    async def _answer(self, asked: dict[TopicPartition, "asyncio.Future[Offsets]"]) -> None:
        """Whatever happens, everyone who asked hears of it: a partition would wait for ever."""
        try:
            found = await _patiently(partial(self._find, asked))
            for tp, future in asked.items():
                future.set_result(found[tp])
        except Exception as error:
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
        finally:
            for future in asked.values():
                future.cancel()

    async def _find(self, tps: Collection[TopicPartition]) -> dict[TopicPartition, Offsets]:
        admin, consumer = await self._connect()
        ids = await self._topic_ids({tp.topic for tp in tps})
        offsets = await committed(admin, self._group, tps)
        beginnings = await consumer.beginning_offsets(tps)
        ends = await consumer.end_offsets(tps)
        return {
            tp: Offsets(offsets.get(tp), beginnings[tp], ends[tp], self._group, ids[tp.topic]) for tp in tps
        }

    async def close(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        if self._consumer is not None:
            await self._consumer.stop()


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while Kafka answers what passes; in the end that answer is raised."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE)
