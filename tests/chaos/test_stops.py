"""Workers are told to stop while they work: they finish what they began, and nothing waits for them."""

import asyncio
import signal
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.topics import Topics, create
from tests.chaos.cluster import Cluster
from tests.chaos.scenario import under_load
from tests.group import Group
from tests.kafka import read_all

pytestmark = pytest.mark.chaos

ENDED = 10.0
"""Seconds within which a worker that was told to stop has ended."""


@pytest.mark.long
async def test_a_rolling_restart_stalls_nobody_for_a_session(settings: Settings, tmp_path: Path) -> None:
    """Each of three workers ends with exit 0, and what it began is committed, not aborted."""
    async with under_load(settings, tmp_path, workers=3) as scenario:
        for worker in scenario.cluster.workers:
            await scenario.stalls.over()
            assert await scenario.cluster.restart(worker) == 0
            await scenario.cluster.recovered()
    assert scenario.cluster.crashes == []
    assert await aborted(settings) == 0


@pytest.mark.long
async def test_twenty_stops_at_random_abort_no_transaction(settings: Settings, tmp_path: Path) -> None:
    """SIGTERM under load, some in a rebalance: exit 0, and no aborted transaction holds anything of ours."""
    async with under_load(settings, tmp_path, workers=3) as scenario:
        for _ in range(20):
            if scenario.random.random() < 0.5:
                await scenario.stalls.over()
            assert await scenario.cluster.restart(scenario.random.choice(scenario.cluster.workers)) == 0
            await scenario.cluster.recovered()
    assert scenario.cluster.crashes == []
    assert await aborted(settings) == 0


@pytest.mark.long
async def test_workers_that_stop_together_leave_the_group_at_once(settings: Settings, tmp_path: Path) -> None:
    """One may stop while the other's leaving changes the group: whoever starts next waits for no session."""
    await create(settings)
    # So often that the second one hears at once that the first has left.
    cluster = Cluster(settings.model_copy(update={"heartbeat": 0.02}), tmp_path, 2)
    try:
        for turn in range(12):
            await cluster.start()
            for worker in cluster.workers:
                worker.process.signal(signal.SIGTERM)
                await asyncio.sleep(turn / 100)  # each time at another moment of the first one's stop
            assert [worker.process.wait(ENDED) for worker in cluster.workers] == [0, 0]
            cluster.stop()
            assert await Group(settings).is_empty()
    finally:
        cluster.stop()


async def aborted(settings: Settings) -> int:
    """How many records aborted transactions left in the changelogs, which every transaction writes."""
    changelogs = [topic.name for topic in Topics.of(settings).all if topic.compacted]
    written = await read_all(settings, *changelogs, isolation="read_uncommitted")
    committed = await read_all(settings, *changelogs)
    print(
        f"{len(written)} changelog records, {len(written) - len(committed)} of them in aborted transactions"
    )
    return len(written) - len(committed)
