"""Brokers: what Kafka itself is asked and told about its topics."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.clients import BrokersError, connected
from streams.kafka.features import FeaturesRequest, levels
from streams.kafka.metadata import TopicsRequest
from streams.settings import Settings

# KIP-896: Kafka 4.0 was the first to refuse Fetch requests below version 4.
FETCH_SINCE_KAFKA_4 = 4
TRANSACTION_VERSION = "transaction.version"
"""Of these features the engine's producer needs level 2 (KIP-890)."""
SEEN_TIMEOUT = 30.0


@dataclass(frozen=True)
class Described:
    """A topic as it is."""

    partitions: int
    replicas: int
    """Of the partition that has the fewest."""
    config: dict[str, str]


class Brokers:
    """A connection to the brokers. Every method may raise ``BrokersError``."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin
        self._client = admin._client  # the admin client does not tell versions, nor what one broker sees

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings) -> AsyncIterator[Self]:
        async with connected(settings, AIOKafkaAdminClient, client_id=settings.app_id) as admin:
            yield cls(admin)

    async def too_old(self) -> list[int]:
        """Ids of the brokers that run a Kafka older than 4.0."""
        answers = {
            broker.nodeId: await self._client.send(broker.nodeId, ApiVersionRequest())
            for broker in self._client.cluster.brokers()
        }
        return [node for node, answer in answers.items() if is_too_old(answer.api_versions)]

    async def transaction_version(self) -> int:
        """The transaction protocol on which the brokers agreed; 0 for that of Kafka 3."""
        answer = await self._client.send(self._client.get_random_node(), FeaturesRequest())
        return levels(answer).get(TRANSACTION_VERSION, 0)

    async def topics(self) -> set[str]:
        """Names of all topics that there are. Asking for one by name could create it."""
        return {*await self._admin.list_topics()}

    async def operations(self, names: Collection[str]) -> dict[str, int]:
        """What this client may do with each topic of ``names`` that there is: a bit for each operation."""
        node = self._client.get_random_node()
        answer = (await self._client.send(node, TopicsRequest([*names]))).to_object()
        return {
            topic["topic"]: max(0, topic["operations"])  # negative where it may not even be seen
            for topic in answer["topics"]
            if for_code(topic["error_code"]) is not UnknownTopicOrPartitionError
        }

    async def describe(self, names: Collection[str]) -> dict[str, Described]:
        """The topics among ``names`` that there are."""
        found = {
            topic["topic"]: topic["partitions"]
            for topic in await self._admin.describe_topics()
            if topic["topic"] in names
        }
        configs = await self._configs(found)
        return {
            name: Described(
                len(partitions), min(len(partition["replicas"]) for partition in partitions), configs[name]
            )
            for name, partitions in found.items()
        }

    async def create(self, topics: list[NewTopic]) -> None:
        """Create ``topics``, and return when every broker knows them. One that is there is left as it is."""
        if not topics:
            return
        answer = await self._admin.create_topics(topics)
        refused = [
            f"{name}: not created, {said or for_code(code).__name__}"
            for name, code, said in answer.topic_errors
            if for_code(code) not in (NoError, TopicAlreadyExistsError)
        ]
        if refused:
            raise BrokersError("\n".join(refused))
        # A broker learns of a topic only after the controller has said that it is created.
        names = {topic.name for topic in topics}
        try:
            async with asyncio.timeout(SEEN_TIMEOUT):
                for broker in self._client.cluster.brokers():
                    while names - await self._ready(broker.nodeId):  # noqa: ASYNC110 - Kafka calls nobody
                        await asyncio.sleep(0.02)
        except TimeoutError:
            raise BrokersError(
                f"topics are created, but not seen by all brokers in {SEEN_TIMEOUT:.0f} s"
            ) from None

    async def _ready(self, node: int) -> set[str]:
        """Topics whose every partition has a leader, as one broker sees it."""
        answer = (await self._client.send(node, MetadataRequest(None))).to_object()
        return {
            topic["topic"]
            for topic in answer["topics"]
            if all(for_code(partition["error_code"]) is NoError for partition in topic["partitions"])
        }

    async def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        configs: dict[str, dict[str, str]] = {}
        for answer in await self._admin.describe_configs(asked) if asked else []:
            for code, _, _, name, entries in answer.resources:
                if for_code(code) is not NoError:
                    raise BrokersError(f"{name}: its settings cannot be read, {for_code(code).__name__}")
                configs[name] = {entry[0]: entry[1] for entry in entries}
        return configs


def is_too_old(api_versions: Iterable[tuple[int, int, int]]) -> bool:
    """Whether a broker is older than Kafka 4.0, by its ApiVersions: (key, lowest, highest version) each."""
    lowest = {key: low for key, low, _ in api_versions}
    return lowest.get(FetchRequest.API_KEY, 0) < FETCH_SINCE_KAFKA_4
