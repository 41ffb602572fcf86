"""Workers are killed at random while they work, and still every service is charged once."""

import asyncio
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.chaos.scenario import under_load

pytestmark = pytest.mark.chaos

PAUSE = (0.2, 2.5)
"""Seconds that a kill comes after the recovery from the one before, or at times after that kill itself."""


@pytest.mark.parametrize(
    ("workers", "kills"),
    [(2, 6), pytest.param(3, 50, marks=[pytest.mark.long, pytest.mark.timeout(1200)])],
)
async def test_kills_at_random_charge_nothing_twice_and_lose_nothing(
    settings: Settings, tmp_path: Path, workers: int, kills: int
) -> None:
    """kill -9 under load, some before the worker is back from the last one: nobody else ends either."""
    async with under_load(settings, tmp_path, workers=workers) as scenario:
        for _ in range(kills):
            if scenario.random.random() < 0.6:
                await scenario.cluster.recovered()
            await asyncio.sleep(scenario.random.uniform(*PAUSE))
            await scenario.cluster.kill(scenario.random.choice(scenario.cluster.workers))
        await scenario.cluster.recovered()
    assert scenario.cluster.crashes == []
