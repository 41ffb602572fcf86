"""Kafka itself is killed while workers work, and comes back."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local_kafka import LocalKafka
from tests.chaos.scenario import under_load
from tests.chaos.stalls import Harm
from tests.integration.counting import until
from tests.kafka import installation

pytestmark = [pytest.mark.chaos, pytest.mark.long]


@pytest.fixture
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker of this test's own."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka
        kafka.kill()


async def test_a_broker_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    kafka: LocalKafka, tmp_path: Path
) -> None:
    """Back at once, and back when the workers have ended: those say why and are started again until it is."""
    settings = installation(kafka.brokers, tmp_path)
    everything = frozenset(range(settings.partitions))
    async with under_load(settings, tmp_path) as scenario:
        for enough in (0, 4):
            await scenario.stalls.over()
            scenario.cluster.harms.append(Harm(time.monotonic(), everything))
            kafka.kill()
            await until(lambda enough=enough: len(scenario.cluster.crashes) >= enough)
            await asyncio.to_thread(kafka.start)
            await scenario.stalls.over()
            stall = scenario.stalls.longest(harmed=True)
            print(f"down until {enough} workers had ended: longest stall {stall:.1f} s")
    print("\n".join(sorted({*scenario.cluster.crashes})))
