"""Fixtures of what has gone through, of what is wrong with it, and of a running worker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.topics import Topics, create
from tests.integration.counter import BETWEEN, BETWEEN_LOG, OUT, SOURCE, SOURCE_LOG
from tests.integration.counting import Counting
from tests.integration.live import Live, running
from tests.integration.pipeline import Pipeline
from tests.kafka import installation


@pytest.fixture
async def pipeline(settings: Settings, topics: Topics) -> Pipeline:
    """The example day played and decided; nothing of it is written yet."""
    made = Pipeline(settings, topics)
    await made.play()
    return made


@pytest.fixture
async def counting(settings: Settings, tmp_path: Path) -> AsyncIterator[Counting]:
    """The counter app with its topics; no worker runs yet. Small batches make many commits."""
    # The least session that a broker allows by default.
    changed = {"partitions": 2, "session_timeout": 6.0, "heartbeat": 0.5, "max_poll_records": 20}
    counting = Counting(settings.model_copy(update=changed), tmp_path)
    await counting.create_topics(SOURCE, BETWEEN, OUT, SOURCE_LOG, BETWEEN_LOG)
    yield counting
    for worker in counting.workers:
        if worker.process.exit_code is None:
            worker.process.kill()


@pytest.fixture(scope="module")
def live(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """An installation with a running worker, for all tests of a module."""
    folder = tmp_path_factory.mktemp("live")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with running(settings, folder / "worker.log") as worker:
        yield Live(worker)
