"""Workers are killed at random while they work, and still every service is charged once."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from streams.cli.audit import show
from streams.in_flight import wait_until_processed
from streams.play import Record, play, read_lines
from streams.settings import Settings
from streams.simulate import Simulation
from streams.topics import Topics
from tests.chaos.cluster import Cluster
from tests.verdict import verdict

pytestmark = pytest.mark.chaos

KILLS = 6
PAUSE = (0.2, 2.5)
"""Seconds that a kill comes after the recovery from the one before, or at times after that kill itself."""
RATE = 800
"""Records a second: work goes on from the first kill to the last."""
PROCESSED_WITHIN = 120.0


async def test_six_kills_at_random_charge_nothing_twice_and_lose_nothing(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """Two workers under load: the audit's four figures are 0, and what stands is what was simulated."""
    assert topics
    seed = int(os.environ.get("PERDIEM_TEST_SEED") or Random().randrange(10**6))
    print(f"\nPERDIEM_TEST_SEED={seed}")
    random = Random(seed)
    simulation = Simulation(patients=1000, days=10, seed=38225)
    # The least that a broker allows by default: a killed worker keeps its partitions for so long.
    settings = settings.model_copy(update={"session_timeout": 6.0, "heartbeat": 1.0})
    cluster = Cluster(settings, tmp_path, 2)
    try:
        await cluster.start()
        playing = asyncio.create_task(play(settings, records(simulation), RATE))
        for _ in range(KILLS):
            if random.random() < 0.6:
                await cluster.recovered()
            await asyncio.sleep(random.uniform(*PAUSE))
            cluster.kill(random.choice(cluster.workers))
        await cluster.recovered()
        sent = await playing
        await wait_until_processed(settings, seconds=PROCESSED_WITHIN)
        ended = cluster.ended()
        codes = cluster.stop()
    finally:
        cluster.stop()

    report, standing = await verdict(settings)
    times = ", ".join(f"{seconds:.1f}" for seconds in cluster.recoveries)
    print(
        f"{KILLS} kills, {sent} events, {cluster.generations} generations, {report.standing} charges stand, "
        f"{report.replayed} statements replayed; ready again {times} s after a kill"
    )
    show(report)
    assert report.clean
    assert standing == sorted(simulation.expected)
    assert sum(report.outcomes.values()) == sent
    assert not ended
    assert codes == [0, 0]


def records(simulation: Simulation) -> Iterator[Record]:
    return read_lines(msgspec.json.encode(record) for record in simulation.records())
