"""A worker stands still for longer than its session, as in a long pause of its machine, and is replaced."""

from pathlib import Path

import pytest

from streams.settings import Settings
from tests.chaos.scenario import under_load
from tests.group import Group
from tests.integration.counting import until

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
async def test_a_worker_frozen_past_its_session_writes_nothing_of_what_it_knew(
    settings: Settings, tmp_path: Path, times: int
) -> None:
    """Thawed when the other has its partitions it joins again, or is fenced and ends; both take turns."""
    async with under_load(settings, tmp_path) as scenario:
        cluster, group = scenario.cluster, Group(scenario.settings)
        for number in range(times):
            await scenario.stalls.over()
            frozen = cluster.workers[number % 2]
            await cluster.freeze(frozen)
            await scenario.stalls.over()
            cluster.thaw(frozen)
            await until(group.both_are_members)
            await cluster.recovered()
    print(f"{times} times frozen, fenced and ended: {cluster.crashes}")
    # Frozen for longer than a unit may take, it may notice that first.
    assert all("fenced by another worker" in line or "not done within" in line for line in cluster.crashes)
