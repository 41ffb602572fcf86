"""A topic that the workers write is deleted, or takes nothing more."""

from pathlib import Path

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.settings import Settings
from streams.topics import MAX_MESSAGE, Topic, Topics, create
from tests.chaos.scenario import Scenario, under_load
from tests.group import Group
from tests.kafka import Sent, produce, read_all

pytestmark = [pytest.mark.chaos, pytest.mark.long]


async def test_workers_end_when_an_output_topic_takes_no_more_and_go_on_when_it_does(
    settings: Settings, tmp_path: Path
) -> None:
    """A unit that cannot be written ends its worker; started again that says which setting is wrong.

    Too few replicas in sync would be another case, but a broker asks for no more than there are.
    """
    topic = Topics.of(settings).decisions
    async with under_load(soon(settings), tmp_path) as scenario:
        await scenario.stalls.over()
        await configure(settings, topic, 100)
        assert await all_refuse(scenario) == {
            f"{topic.name}: max.message.bytes={MAX_MESSAGE} or more expected, it has 100"
        }
        await configure(settings, topic, MAX_MESSAGE)
        await scenario.cluster.start()
        await scenario.stalls.over()


async def test_workers_end_when_an_output_topic_is_gone_and_go_on_when_it_is_restored(
    settings: Settings, tmp_path: Path
) -> None:
    """Nothing waits for an abort that never ends; with a copy of the topic put back nothing is missing."""
    topic = Topics.of(settings).decisions
    async with under_load(soon(settings), tmp_path) as scenario:
        await scenario.stalls.over()
        await scenario.pause()
        copy = await read_all(settings, topic.name)
        async with Group(settings).admin() as admin:
            await admin.delete_topics([topic.name])
        scenario.go_on()
        assert await all_refuse(scenario) == {f"{topic.name}: missing, `perdiem topics create` creates it"}
        assert await create(settings) == [topic.name]
        await produce(
            settings,
            [Sent(topic.name, each.value, each.key, each.headers, each.partition) for each in copy],
        )
        await scenario.cluster.start()
        await scenario.stalls.over()


def soon(settings: Settings) -> Settings:
    """With a unit's deadline of 4 s."""
    return settings.model_copy(update={"transaction_timeout": 8.0})


async def all_refuse(scenario: Scenario) -> set[str]:
    """Every worker has ended in a unit's step 1 and, started again, does not go on: what they say then."""
    said, crashes = await scenario.refused(), scenario.cluster.crashes
    print("\n".join(sorted({*crashes, *said})))
    assert crashes
    assert all("failed in step 1 (write): " in line for line in crashes)
    return said


async def configure(settings: Settings, topic: Topic, largest: int) -> None:
    """Let ``topic`` take batches of ``largest`` bytes."""
    config = topic.config | {"max.message.bytes": str(largest)}
    async with Group(settings).admin() as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=config)])
