"""Every topic: its name, what its keys and values are, how it is kept; made and checked."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest

from streams.errors import PerdiemError
from streams.settings import Settings

# KIP-896: Kafka 4.0 was the first to refuse Fetch requests below version 4.
FETCH_SINCE_KAFKA_4 = 4
FOR_EVER = "-1"
SEEN_TIMEOUT = 30.0


class TopicsError(PerdiemError):
    """The brokers or their topics are not as Perdiem needs them: one line for each mismatch."""


@dataclass(frozen=True)
class Topic:
    """One topic. ``key`` and ``value`` say in words what its records hold."""

    name: str
    key: str
    value: str
    compacted: bool = False
    """A changelog: of each key the last value is kept."""
    ours: bool = True
    """Written by Perdiem alone, and kept for ever. The others belong to the source systems."""

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings that the topic must have."""
        if self.compacted:
            return {"cleanup.policy": "compact"}
        kept = {"retention.ms": FOR_EVER, "retention.bytes": FOR_EVER} if self.ours else {}
        return {"cleanup.policy": "delete", **kept}


@dataclass(frozen=True)
class Topics:
    """The topics of one installation."""

    lab_procedures: Topic
    infusion_procedures: Topic
    procedures: Topic
    decisions: Topic
    billing_events: Topic
    held: Topic
    dead_letters: Topic
    patient_days: Topic
    intake_lab: Topic
    intake_infusion: Topic

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The topics under the names that ``settings`` gives them, prefix included."""

        def topic(name: str, key: str, value: str, *, compacted: bool = False, ours: bool = True) -> Topic:
            return Topic(settings.topic_prefix + name, key, value, compacted, ours)

        return cls(
            lab_procedures=topic(
                settings.topic_lab_procedures,
                "any",
                "what the cell lab says of a procedure: ProcedureMessage",
                ours=False,
            ),
            infusion_procedures=topic(
                settings.topic_infusion_procedures,
                "any",
                "what the infusion unit says of a procedure: ProcedureMessage",
                ours=False,
            ),
            procedures=topic(
                settings.topic_procedures,
                "patient",
                "ProcedureEvent, or the Decision of intake on an event that may concern a standing charge",
            ),
            decisions=topic(settings.topic_decisions, "patient, else event id", "Decision"),
            billing_events=topic(settings.topic_billing_events, "patient", "BillingEvent"),
            held=topic(settings.topic_held, "event id", "the source record, with headers that say why"),
            dead_letters=topic(
                settings.topic_dead_letters,
                "that of the source record",
                "the source record, with headers that say why",
            ),
            patient_days=topic(
                settings.topic_patient_days,
                "table and key",
                "tables patient_days and patients; position of the ledger",
                compacted=True,
            ),
            intake_lab=topic(
                settings.topic_intake_lab,
                "table and key",
                "position of intake, and its window of dead letters",
                compacted=True,
            ),
            intake_infusion=topic(
                settings.topic_intake_infusion,
                "table and key",
                "position of intake, and its window of dead letters",
                compacted=True,
            ),
        )

    @property
    def sources(self) -> tuple[Topic, ...]:
        """Where the source systems write."""
        return (self.lab_procedures, self.infusion_procedures)

    @property
    def intake_states(self) -> dict[str, Topic]:
        """Changelog of intake, by name of the source topic."""
        return {
            self.lab_procedures.name: self.intake_lab,
            self.infusion_procedures.name: self.intake_infusion,
        }

    @property
    def all(self) -> tuple[Topic, ...]:
        """All of them, in the order of an event's way through them."""
        return tuple(vars(self).values())


async def create(settings: Settings) -> list[str]:
    """Create the topics that are missing; their names.

    Raises ``TopicsError`` if the brokers refuse one, ``KafkaConnectionError`` if none answers.
    """
    async with _admin(settings) as admin:
        there = {described["topic"] for described in await admin.describe_topics()}
        missing = [topic for topic in Topics.of(settings).all if topic.name not in there]
        if not missing:
            return []
        in_sync = {"min.insync.replicas": str(settings.min_insync_replicas)}
        answer = await admin.create_topics(
            [
                NewTopic(
                    topic.name,
                    settings.partitions,
                    settings.replication,
                    topic_configs=topic.config | in_sync,
                )
                for topic in missing
            ]
        )
        refused = [
            f"{name}: not created, {said or for_code(code).__name__}"
            for name, code, said in answer.topic_errors
            if for_code(code) not in (NoError, TopicAlreadyExistsError)
        ]
        if refused:
            raise TopicsError("\n".join(refused))
        names = [topic.name for topic in missing]
        await _until_seen(admin, {*names})
        return names


async def _until_seen(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A broker learns of a topic only after the controller has said that it is created."""
    client = admin._client
    try:
        async with asyncio.timeout(SEEN_TIMEOUT):
            for broker in client.cluster.brokers():
                while names - await _topics_seen(client, broker.nodeId):  # noqa: ASYNC110 - Kafka calls nobody
                    await asyncio.sleep(0.02)
    except TimeoutError:
        raise TopicsError(
            f"topics were created, but a broker did not see them within {SEEN_TIMEOUT:.0f} s"
        ) from None


async def _topics_seen(client: AIOKafkaClient, node: int) -> set[str]:
    """Topics whose every partition has a leader, as one broker sees it."""
    answer = (await client.send(node, MetadataRequest(None))).to_object()
    return {
        topic["topic"]
        for topic in answer["topics"]
        if all(for_code(partition["error_code"]) is NoError for partition in topic["partitions"])
    }


async def check(settings: Settings) -> None:
    """Raise ``TopicsError`` unless brokers and topics are as needed.

    Needed are: Kafka 4.0 or newer; every topic there, with ``settings.partitions`` partitions, so that
    the partition of a patient is the same number everywhere; changelogs compacted, the others not; our
    own kept for ever; no more in-sync replicas asked for than there are.
    Raises ``KafkaConnectionError`` if no broker answers.
    """
    async with _admin(settings) as admin:
        wrong = [line async for line in _old_brokers(admin)]
        there = {described["topic"]: described for described in await admin.describe_topics()}
        topics = Topics.of(settings).all
        configs = await _configs(admin, [topic.name for topic in topics if topic.name in there])
        for topic in topics:
            if topic.name in there:
                wrong += _mismatches(topic, there[topic.name], configs[topic.name], settings.partitions)
            else:
                wrong.append(f"{topic.name}: missing, `perdiem topics create` creates it")
    if wrong:
        raise TopicsError("\n".join(wrong))


def _mismatches(
    topic: Topic, described: dict[str, Any], config: dict[str, str], partitions: int
) -> Iterator[str]:
    count = len(described["partitions"])
    if count != partitions:
        yield f"{topic.name}: {partitions} partitions expected (PERDIEM_PARTITIONS), it has {count}"
    for name, expected in topic.config.items():
        if config[name] != expected:
            yield f"{topic.name}: {name}={expected} expected, it has {config[name]}"
    replicas = min((len(partition["replicas"]) for partition in described["partitions"]), default=0)
    in_sync = int(config["min.insync.replicas"])
    if in_sync > replicas:
        yield f"{topic.name}: min.insync.replicas={in_sync} expected to be at most its {replicas} replicas"


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """Kafka's settings of each topic, by name."""
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in await admin.describe_configs(asked)
        for _, _, _, name, entries in answer.resources
    }


async def _old_brokers(admin: AIOKafkaAdminClient) -> AsyncIterator[str]:
    client = admin._client  # the admin client itself does not tell versions
    for broker in client.cluster.brokers():
        answer = await client.send(broker.nodeId, ApiVersionRequest())
        oldest = {key: lowest for key, lowest, _ in answer.api_versions}
        if oldest.get(FetchRequest.API_KEY, 0) < FETCH_SINCE_KAFKA_4:
            yield f"broker {broker.nodeId}: Kafka 4.0 or newer expected, it is older"


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.kafka(), client_id=settings.app_id)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
