"""Group: the consumer group of an installation, its members and its offsets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.protocol.group import LeaveGroupRequest

from streams.settings import Settings
from tests.kafka import BOUND

NEVER = 3600.0
"""Seconds: longer than any test."""


class Group:
    """What can be asked of the group of ``settings``, and done to it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self.settings.kafka())
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def silent(self) -> AsyncIterator["Group"]:
        """Another group, whose only member gives no sign of life: empty once a session of ours has passed."""
        group = Group(self.settings.model_copy(update={"app_id": f"{self.settings.app_id}-silent"}))
        consumer = AIOKafkaConsumer(
            **self.settings.kafka(),
            group_id=group.settings.app_id,
            session_timeout_ms=int(self.settings.session_timeout * 1000),
            heartbeat_interval_ms=int(NEVER * 1000),
        )
        consumer.subscribe(pattern="^$")
        await consumer.start()
        try:
            yield group
        finally:
            await consumer.stop()

    async def group(self) -> tuple[str, list[str]]:
        """State and members."""
        async with self.admin() as admin:
            [answer] = await admin.describe_consumer_groups([self.settings.app_id])
            _, _, state, _, _, members, *_ = answer.groups[0]
            return state, [member[0] for member in members]

    async def is_empty(self) -> bool:
        """Whether nobody is a member."""
        return await self.group() == ("Empty", [])

    async def both_are_members(self) -> bool:
        """Whether two workers share the partitions, and no rebalance goes on."""
        state, members = await self.group()
        return (state, len(members)) == ("Stable", 2)

    async def bury(self) -> None:
        """Take workers that were killed out of the group: it need not wait for their session to end."""
        try:
            _, members = await self.group()
        except GroupCoordinatorNotAvailableError:
            return  # a Kafka that has not had a group yet
        async with self.admin() as admin:
            node = await admin.find_coordinator(self.settings.app_id)
            for member in members:
                await admin._send_request(LeaveGroupRequest(self.settings.app_id, member), node)

    async def committed(self, topic: str) -> dict[TopicPartition, int]:
        """The offsets of ``topic``, named without the prefix."""
        async with self.admin() as admin:
            offsets = await admin.list_consumer_group_offsets(self.settings.app_id)
        name = self.settings.topic_prefix + topic
        return {tp: at.offset for tp, at in offsets.items() if tp.topic == name}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Set offsets, as kafka-consumer-groups.sh does; no worker may run."""
        consumer = AIOKafkaConsumer(
            **self.settings.kafka(), group_id=self.settings.app_id, enable_auto_commit=False
        )
        consumer.assign(list(offsets))
        await consumer.start()
        try:
            async with asyncio.timeout(BOUND):
                await consumer.commit(offsets)
        finally:
            await consumer.stop()
