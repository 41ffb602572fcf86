"""The engine on a real Kafka: whatever happens, every record is counted exactly once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.once.failure import EXIT_FAILED
from streams.settings import Settings
from tests.integration.counter import BETWEEN, BETWEEN_LOG, OUT, SOURCE, SOURCE_LOG
from tests.integration.counting import Counting, last_words

pytestmark = pytest.mark.integration


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


async def test_a_killed_worker_loses_and_doubles_nothing(counting: Counting) -> None:
    """kill -9 of one of two workers under load, and its restart: every record is counted once."""
    workers = [counting.start(), counting.start()]
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    async with counting.load():
        workers[0].process.kill()
        await counting.ready()
    assert await counting.exact()


async def test_a_rolling_restart_loses_and_doubles_nothing_and_waits_for_no_session(
    counting: Counting,
) -> None:
    """SIGTERM under load ends a worker with exit 0 within 5 s, and the other takes over at once.

    With sessions of five minutes the test would time out if anybody waited for one.
    """
    long = {"session_timeout": 300.0}
    workers = [counting.start(**long), counting.start(**long)]
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    async with counting.load():
        for worker in workers:
            worker.process.signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.process.wait, 5) == 0
            await counting.all_counted()
            await counting.ready(**long)
    assert await counting.exact()


async def test_a_crash_in_an_agent_ends_the_worker_with_one_line_that_holds_no_data(
    counting: Counting,
) -> None:
    """It names topic, partition, agent and step; the exception's text, which quotes a key, is nowhere."""
    worker = await counting.ready("break")
    await counting.send(1)
    assert await counting.ended(worker) == EXIT_FAILED
    [line] = last_words(worker)
    topic = counting.topic(SOURCE)
    assert line.startswith((f"perdiem: {topic}[0]: passer failed", f"perdiem: {topic}[1]: passer failed"))
    assert "after step 0 (filled): ValueError at integration/counter.py:" in line
    assert "k0" not in worker.log.read_text()
    await counting.bury()
    await counting.ready()
    assert await counting.exact()
