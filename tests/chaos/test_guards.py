"""The checks can fail: with a guard of the engine removed, the audit names what was lost or charged twice."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.audit import Figure
from streams.audit import audit_topics
from streams.cli.audit import show
from streams.local_worker import LocalWorker
from streams.once.failure import EXIT_FAILED, EXIT_REFUSED
from streams.settings import Settings
from tests.chaos.cluster import last_words, logged
from tests.chaos.faulty import Faulty, installed
from tests.integration.counting import stands_still

pytestmark = pytest.mark.chaos


@pytest.fixture
async def faulty(settings: Settings, tmp_path: Path) -> AsyncIterator[Faulty]:
    """Some days of records are there, and no worker yet."""
    async with installed(settings, tmp_path, patients=60) as faulty:
        await faulty.play()
        yield faulty


async def test_a_batch_lost_inside_the_worker_ends_it(faulty: Faulty) -> None:
    """The next one does not begin where the last one ended; whoever goes on reads both."""
    worker = faulty.start("lost")
    assert await faulty.ended(worker) == EXIT_FAILED
    assert "a batch begins at" in last_words(worker)
    await faulty.ready()
    await faulty.end()


async def test_without_this_guard_the_audit_names_the_lost_batch(faulty: Faulty) -> None:
    """Its events have no decisions, and charges are missing."""
    await faulty.ready("lost-unguarded")
    await faulty.processed()
    assert {Figure.MISSING, Figure.UNEXPLAINED} <= await named(faulty)


@pytest.mark.long
async def test_an_offset_committed_without_its_batch_is_refused(faulty: Faulty) -> None:
    """The changelog knows what was done: a worker does not go on behind records that were not."""
    await faulty.ended(faulty.start("offset-first"))
    worker = faulty.start()
    assert await faulty.ended(worker) == EXIT_REFUSED
    assert "were committed, but its changelog is empty" in last_words(worker)


@pytest.mark.long
async def test_without_this_guard_the_audit_names_the_skipped_batch(faulty: Faulty) -> None:
    """A worker that believes the committed offset never reads these events."""
    await faulty.ended(faulty.start("offset-first"))
    await faulty.ready("trusting")
    await faulty.processed()
    assert {Figure.MISSING, Figure.UNEXPLAINED} <= await named(faulty)


@pytest.mark.long
async def test_a_store_written_before_its_commit_is_not_believed(faulty: Faulty) -> None:
    """Its last position is not in the changelog, for the transaction was aborted: it is built again."""
    await faulty.ended(faulty.start("store-first"))
    worker = await faulty.ready()
    again = {line["why"] for line in logged(worker, "the local store is built again")}
    assert again == {"its last position is not in the changelog"}
    await faulty.end()


@pytest.mark.long
async def test_without_this_guard_the_audit_names_what_only_the_store_knows(faulty: Faulty) -> None:
    """To a worker that believes its store the events are repeats, and their charges are never written."""
    await faulty.ended(faulty.start("store-first"))
    await faulty.ready("trusting")
    await faulty.processed()
    assert Figure.MISSING in await named(faulty)


@pytest.mark.long
@pytest.mark.parametrize("step", ["WRITE", "COMMIT"])
async def test_a_worker_replaced_in_the_middle_of_a_unit_is_fenced(faulty: Faulty, step: str) -> None:
    """Its transaction had not begun, or was not yet committed: the broker refuses the rest, and it ends."""
    worker = await replaced(faulty, step)
    worker.process.signal(signal.SIGCONT)
    assert await faulty.ended(worker) == EXIT_FAILED
    assert "fenced by another worker" in last_words(worker)
    await faulty.end()


@pytest.mark.long
async def test_without_fencing_the_audit_names_what_was_written_twice(faulty: Faulty) -> None:
    """Producers that share no transactional id with their successors charge what those charged."""
    worker = await replaced(faulty, "WRITE", "unfenced")
    worker.process.signal(signal.SIGCONT)
    faulty.stop()
    assert Figure.DOUBLED in await named(faulty)


async def replaced(faulty: Faulty, step: str, *faults: str) -> LocalWorker:
    """A worker that stands still before ``step`` of a unit; meanwhile another did all there was to do."""
    # Longer than it stands still: its unit is not given up for its age.
    worker = faulty.start(f"frozen:{step}:at-once", *faults, lanes=1, transaction_timeout=300.0)
    await stands_still(worker)
    await faulty.bury()
    await faulty.ready(*faults, machine=1)
    await faulty.processed()
    return worker


async def named(faulty: Faulty) -> set[Figure]:
    """The figures that are not 0."""
    report = await audit_topics(faulty.settings)
    show(report)
    return {figure for figure, count in report.figures.items() if count}
