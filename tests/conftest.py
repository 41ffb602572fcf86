"""Fixtures that need Kafka: one broker for all tests, and for each test topics and groups of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from streams.settings import Settings
from streams.topics import Topics, create
from tests.kafka import broker, installation

# The same examples in every run: what fails, fails for everybody. PERDIEM_TEST_EXPLORE=1 looks for others.
hypothesis_settings.register_profile("repeatable", derandomize=True)
if not os.environ.get("PERDIEM_TEST_EXPLORE"):
    hypothesis_settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of the Kafka of this run; see ``tests.kafka.broker`` for which one it is."""
    with broker(tmp_path_factory.mktemp("kafka")) as servers:
        yield servers


@pytest.fixture
def settings(brokers: str, tmp_path: Path) -> Settings:
    """Settings of an installation that nobody else uses; its topics do not exist yet."""
    return installation(brokers, tmp_path)


@pytest.fixture
async def topics(settings: Settings) -> Topics:
    """The topics of ``settings``, freshly created."""
    await create(settings)
    return Topics.of(settings)
