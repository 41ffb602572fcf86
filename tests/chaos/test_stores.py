"""Local stores are lost, damaged, or of another time: the changelog is the truth."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.brokers import Brokers
from streams.once.slot import Slot
from streams.settings import Settings
from streams.topics import Topics
from tests.chaos.cluster import Cluster, logged
from tests.chaos.scenario import under_load
from tests.group import Group
from tests.integration.counting import until

pytestmark = [pytest.mark.chaos, pytest.mark.long]

FLIPPED = 16
"""Bytes turned over in each file of a store."""


async def test_stores_deleted_cut_flipped_or_of_an_older_run_change_no_charge(
    settings: Settings, tmp_path: Path
) -> None:
    """Each in turn and then a kill -9, under load: what does not fit is built again from the changelog."""
    kept = tmp_path / "kept"

    def keep(slot: Path) -> None:
        shutil.copytree(slot, kept / slot.name)

    def put_back(slot: Path) -> None:
        shutil.rmtree(slot)
        shutil.copytree(kept / slot.name, slot)

    def in_free_slot(harm: Callable[[Path], None]) -> Callable[[], None]:
        def do() -> None:
            slot = Slot(settings.data_dir / settings.app_id)
            harm(slot.folder)
            slot.release()

        return do

    async with under_load(settings, tmp_path) as scenario:
        cluster = scenario.cluster
        for worker in cluster.workers:
            await scenario.stalls.over()
            await cluster.restart(worker, in_free_slot(keep))
            await cluster.recovered()
        for harm in (shutil.rmtree, cut, flip, put_back):
            await scenario.stalls.over()
            # After a stop, for only that writes all of a store down: a kill leaves what was flushed before.
            await cluster.restart(scenario.random.choice(cluster.workers), in_free_slot(harm))
            await scenario.stalls.over()
            await cluster.kill(scenario.random.choice(cluster.workers))
            await cluster.recovered()
    again = built_again(cluster)
    print(f"{again.total()} times a store was built again, {len(cluster.crashes)} workers ended")
    assert again.total()
    assert all("the local store of " in line for line in cluster.crashes)


async def test_a_store_of_topics_that_were_deleted_and_created_again_is_not_believed(
    settings: Settings, tmp_path: Path
) -> None:
    """Same cluster, same names: neither while the new changelog is shorter nor once it is longer."""
    stores, kept = settings.data_dir / settings.app_id, tmp_path / "kept"
    async with under_load(settings, tmp_path) as scenario:
        await scenario.stalls.over()
    shutil.copytree(stores, kept)
    names = {topic.name for topic in Topics.of(settings).all}
    async with Group(settings).admin() as admin:
        await admin.delete_topics([*names])

    async def gone() -> bool:
        async with Brokers.connected(settings) as brokers:
            return not names & await brokers.topics()

    await until(gone)
    async with under_load(settings, tmp_path) as scenario:
        for _ in range(3):
            await scenario.stalls.over()
        await scenario.rest()
        shutil.rmtree(stores)
        shutil.copytree(kept, stores)
        await scenario.cluster.start()
        scenario.go_on()
        await scenario.stalls.over()
    again = built_again(scenario.cluster)
    shorter = again["its changelog does not reach where it stopped"]
    longer = again["its last position is not in the changelog"]
    print(f"built again: {shorter} stores beyond the new changelog, {longer} within it")
    assert shorter
    assert longer
    assert scenario.cluster.crashes == []


def built_again(cluster: Cluster) -> Counter[str]:
    """How often a local store was built again, by why."""
    return Counter(
        line["why"] for worker in cluster.workers for line in logged(worker, "the local store is built again")
    )


def cut(slot: Path) -> None:
    """Every file is half as long."""
    for file in slot.rglob("*"):
        if file.is_file():
            os.truncate(file, file.stat().st_size // 2)


def flip(slot: Path) -> None:
    """Bytes all over the data are others; what leads to them is whole: it shows only when they are read."""
    for file in slot.rglob("*.sst"):
        content = bytearray(file.read_bytes())
        for place in range(0, len(content) // 2, len(content) // FLIPPED + 1):
            content[place] ^= 0xFF
        file.write_bytes(content)
