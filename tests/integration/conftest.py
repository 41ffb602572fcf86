"""Fixtures of what has gone through, of what is wrong with it, and of a running worker."""

import asyncio
from collections.abc import Iterator

import pytest

from streams.settings import Settings
from streams.topics import Topics, create
from tests.integration.live import Live, running
from tests.integration.pipeline import Pipeline
from tests.kafka import installation


@pytest.fixture
async def pipeline(settings: Settings, topics: Topics) -> Pipeline:
    """The example day played and decided; nothing of it is written yet."""
    made = Pipeline(settings, topics)
    await made.play()
    return made


@pytest.fixture(scope="module")
def live(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """An installation with a running worker, for all tests of a module."""
    folder = tmp_path_factory.mktemp("live")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with running(settings, folder / "worker.log") as worker:
        yield Live(worker)
