"""A worker stands still for longer than its session, as in a long pause of its machine, and is replaced."""

from pathlib import Path

import pytest

from streams.settings import Settings
from tests.chaos.faulty import COMMAND
from tests.chaos.scenario import under_load
from tests.integration.counting import until

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
async def test_a_worker_frozen_past_its_session_writes_nothing_of_what_it_knew(
    settings: Settings, tmp_path: Path, times: int
) -> None:
    """It had a transaction open and the other has its partitions now: it is fenced and ends; both in turn."""
    # Longer than it stands still: it is fenced for its successor, not for its age.
    settings = settings.model_copy(update={"transaction_timeout": 300.0})
    # Slow enough that a unit is the only one under way now and then, of all agents'.
    command = (*COMMAND, "frozen:COMMIT:told")
    async with under_load(settings, tmp_path, rate=150, command=command) as scenario:
        cluster = scenario.cluster
        for number in range(times):
            await scenario.stalls.over()
            frozen = cluster.workers[number % 2]
            await cluster.freeze(frozen)
            await scenario.stalls.over()
            cluster.thaw(frozen)
            await until(lambda ended=number + 1: len(cluster.crashes) == ended)
            await cluster.recovered()
    print(f"{times} times frozen, fenced and ended: {cluster.crashes}")
    assert len(cluster.crashes) == times
    assert all("fenced by another worker" in line for line in cluster.crashes)
