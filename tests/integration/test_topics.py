"""Topics on a real Kafka."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.brokers import TRANSACTION_VERSION
from streams.clients import BrokersError
from streams.local_kafka import LocalKafka
from streams.settings import Settings
from streams.topics import HEADROOM, MAX_MESSAGE, Topics, TopicsError, check, create
from tests.kafka import Sent, installation, produce, read_all

pytestmark = pytest.mark.integration

ROOM = {"max.message.bytes": str(MAX_MESSAGE)}


async def created_as(settings: Settings, topic: NewTopic) -> None:
    """Someone else creates ``topic`` first."""
    admin = AIOKafkaAdminClient(**settings.kafka())
    await admin.start()
    await admin.create_topics([topic])
    while topic.name not in await admin.list_topics():  # noqa: ASYNC110 - Kafka calls nobody
        await asyncio.sleep(0.02)
    await admin.close()


async def complaints(settings: Settings) -> list[str]:
    """The lines that the check says."""
    with pytest.raises(TopicsError) as caught:
        await check(settings)
    return str(caught.value).splitlines()


async def test_topics_that_were_created_pass_the_check(settings: Settings) -> None:
    """`perdiem topics create` makes what `perdiem topics check` wants, and on a second run nothing."""
    assert await create(settings) == [topic.name for topic in Topics.of(settings).all]
    await check(settings)
    assert await create(settings) == []


async def test_missing_topics_are_named(settings: Settings) -> None:
    """Before anything is created, each missing topic has its line, and asking does not create it."""
    expected = [
        f"{topic.name}: missing, `perdiem topics create` creates it" for topic in Topics.of(settings).all
    ]
    assert await complaints(settings) == expected
    assert await complaints(settings) == expected


async def test_another_partition_count_is_refused(settings: Settings, topics: Topics) -> None:
    """A changed PERDIEM_PARTITIONS would send a patient elsewhere: every topic is named with both counts."""
    changed = settings.model_copy(update={"partitions": 5})
    assert await complaints(changed) == [
        f"{topic.name}: 5 partitions expected (PERDIEM_PARTITIONS), it has 4" for topic in topics.all
    ]


async def test_a_topic_that_would_lose_records_is_refused(settings: Settings) -> None:
    """Charges that expire after a week, or a changelog that is not compacted, are one line each."""
    topics = Topics.of(settings)
    await created_as(
        settings,
        NewTopic(topics.billing_events.name, 4, 1, topic_configs=ROOM | {"retention.ms": "604800000"}),
    )
    await created_as(settings, NewTopic(topics.patient_days.name, 4, 1, topic_configs=ROOM))
    await created_as(
        settings, NewTopic(topics.lab_procedures.name, 4, 1, topic_configs={"cleanup.policy": "compact"})
    )
    await create(settings)
    assert await complaints(settings) == [
        f"{topics.lab_procedures.name}: cleanup.policy=delete expected, it has compact",
        f"{topics.billing_events.name}: retention.ms=-1 expected, it has 604800000",
        f"{topics.patient_days.name}: cleanup.policy=compact expected, it has delete",
    ]


async def test_topics_too_narrow_for_dead_letters_are_refused(settings: Settings) -> None:
    """A dead letter is its source record and more: one that could not be written would stop everything."""
    topics = Topics.of(settings)
    await created_as(
        settings, NewTopic(topics.lab_procedures.name, 4, 1, topic_configs={"max.message.bytes": "8388608"})
    )
    await created_as(settings, NewTopic(topics.dead_letters.name, 4, 1, topic_configs={"retention.ms": "-1"}))
    await create(settings)
    assert await complaints(settings) == [
        f"{topics.lab_procedures.name}: max.message.bytes={MAX_MESSAGE - HEADROOM} or less expected, "
        "or a dead letter would not fit; it has 8388608",
        f"{topics.dead_letters.name}: max.message.bytes={MAX_MESSAGE} or more expected, it has 1048588",
    ]


async def test_more_in_sync_replicas_than_replicas_are_refused(settings: Settings) -> None:
    """A topic that no write could ever satisfy is told at start, not at the first charge."""
    held = Topics.of(settings).held.name
    await created_as(
        settings,
        NewTopic(held, 4, 1, topic_configs=ROOM | {"min.insync.replicas": "2", "retention.ms": "-1"}),
    )
    await create(settings)
    assert await complaints(settings) == [
        f"{held}: min.insync.replicas=2 expected to be at most its 1 replicas"
    ]


async def test_what_the_brokers_refuse_is_told(settings: Settings) -> None:
    """More replicas than brokers: each topic that was not created says why."""
    with pytest.raises(BrokersError, match=r"lab\.procedures: not created, .*replication"):
        await create(settings.model_copy(update={"replication": 9}))


async def test_what_is_written_is_read_up_to_the_end_of_the_log(settings: Settings, topics: Topics) -> None:
    """The helpers of the tests themselves: every record comes back, in order by partition."""
    name = topics.lab_procedures.name
    sent = [Sent(name, b"%d" % number, b"key", [("h", b"v")], partition=number % 4) for number in range(100)]
    acked = await produce(settings, sent)
    records = await read_all(settings, name)
    assert sorted((record.topic, record.partition, record.offset) for record in records) == sorted(acked)
    assert [record.value for record in records if record.partition == 1] == [
        b"%d" % n for n in range(1, 100, 4)
    ]
    assert records[0].headers == (("h", b"v"),)


async def test_brokers_that_speak_the_former_transaction_protocol_are_refused(tmp_path: Path) -> None:
    """As a cluster does that was upgraded from Kafka 3 and no further; the line says how to go on."""
    with LocalKafka(tmp_path / "kafka", features={TRANSACTION_VERSION: 1}) as kafka:
        settings = installation(kafka.brokers, tmp_path)
        await create(settings)
        with pytest.raises(TopicsError) as refused:
            await check(settings)
    assert str(refused.value) == (
        "Kafka's feature transaction.version: level 2 expected, it is 1: "
        "kafka-features.sh upgrade --feature transaction.version=2"
    )
