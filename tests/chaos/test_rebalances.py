"""What is under way when the group changes is neither lost nor done twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.chaos.cluster import generations
from tests.chaos.faulty import Faulty, installed
from tests.integration.counting import until

pytestmark = pytest.mark.chaos


@pytest.fixture
async def faulty(settings: Settings, tmp_path: Path) -> AsyncIterator[Faulty]:
    async with installed(settings, tmp_path, patients=200) as faulty:
        yield faulty


async def test_a_poll_asked_for_before_a_rebalance_and_done_after_it_loses_nothing(
    faulty: Faulty, tmp_path: Path
) -> None:
    """It finds partitions that were not this worker's when it was asked for."""
    hold, sources = tmp_path / "hold", 2 * faulty.settings.partitions
    other, late = await faulty.ready(), await faulty.ready(f"late-poll:{hold}:{sources}", machine=1)
    await until(faulty.both_are_members)
    await faulty.play(1000)
    await faulty.processed()
    hold.touch()
    await until(lambda: "A poll is late" in late.log.read_text())
    other.process.signal(signal.SIGTERM)
    assert await asyncio.to_thread(other.process.wait) == 0
    await asyncio.to_thread(late.wait_ready)
    await faulty.play()
    hold.unlink()
    await faulty.end()


@pytest.mark.long
async def test_a_restore_longer_than_the_session_and_a_rebalance_in_its_middle_leave_the_group_stable(
    faulty: Faulty, tmp_path: Path
) -> None:
    """Nobody is taken for dead while restoring, nothing is restored twice, and all goes on where it was."""
    await faulty.play(1000)
    await faulty.ready()
    await faulty.processed()
    assert faulty.stop() == [0]
    await faulty.play()
    hold = tmp_path / "hold"
    hold.touch()
    held = f"held-restore:{hold}"
    workers = [faulty.start(held, machine=1)]
    await until(lambda: bool(generations(workers[0])))
    workers.append(faulty.start(held, machine=2))
    await until(lambda: bool(generations(workers[1])))
    async with faulty.silent() as silent:
        await until(silent.is_empty)
    assert not any(worker.ready() for worker in workers)
    hold.unlink()
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    first = generations(workers[0])[0]
    assert [generations(worker) for worker in workers] == [[first, first + 1], [first + 1]]
    await faulty.end(workers=2)
