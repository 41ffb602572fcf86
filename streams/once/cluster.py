"""Cluster: what the engine asks of Kafka besides reading and writing."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.group import committed
from streams.kafka.metadata import TopicsRequest
from streams.once.engine import Engine
from streams.once.restore import reader
from streams.once.resume import Offsets


class Cluster:
    """Cluster id and offsets. Questions asked together are answered by one request each."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._engine = engine
        self._group = group
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()
        self._id: str | None = None
        self._asked: dict[TopicPartition, asyncio.Future[Offsets]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def _connect(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        async with self._lock:
            if self._admin is None or self._consumer is None:
                admin = AIOKafkaAdminClient(**self._engine.kafka)
                consumer = reader(self._engine, "read_uncommitted")
                await admin.start()
                await consumer.start()
                self._admin, self._consumer = admin, consumer
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

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            await self._answer(asked)

    async def _answer(self, asked: dict[TopicPartition, "asyncio.Future[Offsets]"]) -> None:
        try:
            admin, consumer = await self._connect()
            offsets = await committed(admin, self._group, asked)
            beginnings = await consumer.beginning_offsets(asked)
            ends = await consumer.end_offsets(asked)
            ids = await self._topic_ids(admin, {tp.topic for tp in asked})
        except Exception as error:
            for future in asked.values():
                future.set_exception(error)
            return
        for tp, future in asked.items():
            found = Offsets(offsets.get(tp), beginnings[tp], ends[tp], self._group, ids[tp.topic])
            future.set_result(found)

    async def _topic_ids(self, admin: AIOKafkaAdminClient, topics: set[str]) -> dict[str, str]:
        answer = (await admin._send_request(TopicsRequest([*topics]))).to_object()
        return {topic["topic"]: topic["id"].hex for topic in answer["topics"]}

    async def close(self) -> None:
        if self._admin is not None and self._consumer is not None:
            await self._admin.close()
            await self._consumer.stop()
