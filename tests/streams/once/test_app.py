"""OnceApp: how an app is put together, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.once import OnceApp, Table, UnitOfWork
from streams.once.app import process
from streams.once.owner import Owner, State
from tests.streams.once.fakes import FakeProducer, a_batch


def nothing(unit: UnitOfWork) -> None:
    """An agent that does nothing."""


def test_a_changelog_has_one_writer(app: OnceApp, table: Table[str, int]) -> None:
    """Neither another agent nor another source may write it: positions would overwrite each other."""
    app.once_agent("one", nothing, changelogs={"a": "log"}, tables=[table])
    with pytest.raises(ValueError, match=r"agent two: .*\['log'\] is shared"):
        app.once_agent("two", nothing, changelogs={"b": "log"}, tables=[])
    with pytest.raises(ValueError, match="agent three: a changelog of its own for every source topic"):
        app.once_agent("three", nothing, changelogs={"c": "same", "d": "same"}, tables=[])


def test_a_source_has_one_reader(app: OnceApp) -> None:
    """A second agent on the same topic would share its offsets."""
    app.once_agent("one", nothing, changelogs={"a": "log1"}, tables=[])
    with pytest.raises(ValueError, match="agent two: a is read by one"):
        app.once_agent("two", nothing, changelogs={"a": "log2"}, tables=[])


def test_changelogs_are_told_to_faust_and_never_subscribed(app: OnceApp, table: Table[str, int]) -> None:
    """Faust must not read or assign them: the restorer does."""
    app.once_agent("one", nothing, changelogs={"a": "log1", "b": "log2"}, tables=[table])
    assert app.tables.changelog_topics == {"log1", "log2"}
    assert {topic for agent in app.agents.values() for topic in agent.channel.topics} == {"a", "b"}


def test_faust_keeps_no_standbys_and_starts_no_producer(app: OnceApp) -> None:
    """Standbys would read changelogs twice; records leave only through an owner's transaction."""
    assert app.conf.table_standby_replicas == 0
    assert app.conf.stream_wait_empty
    assert app.BootStrategy.enable_kafka_producer is False
    assert type(app.assignor).__module__ == "faust.assignor.partition_assignor"


def test_faust_has_no_pages_of_its_own(app: OnceApp) -> None:
    """Faust's pages hand out table data without asking who reads it."""
    web = app.web
    assert (*web.default_blueprints, *web.debug_blueprints, *web.production_blueprints) == ()


async def test_a_batch_of_a_former_assignment_is_dropped(app: OnceApp, owner: Owner) -> None:
    """After a rebalance the partition is read again from its position: what was drained before is stale."""
    batch = a_batch(owner, "a")
    owner.epoch += 1
    await process(app, batch)
    owner.epoch -= 1
    owner.state = State.RESTORED
    await process(app, batch)
    producer = owner.producer
    assert isinstance(producer, FakeProducer)
    assert (producer.seen, owner.position) == ([], 0)


GAP = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from streams.once.app import process
from tests.streams.once.fakes import COUNTS, a_batch, an_app, an_owner

async def main():
    app = an_app(Path(sys.argv[1]))
    owner = an_owner(app, app.once_table("counts", COUNTS))
    batch = a_batch(owner, "a", "b")
    await process(app, replace(batch, start=batch.start + int(sys.argv[2])))

asyncio.run(main())
"""


@pytest.mark.parametrize("gap", [1, -1], ids=["skipped", "again"])
def test_a_batch_that_does_not_follow_ends_the_process(tmp_path: Path, gap: int) -> None:
    """Records left out, or read twice, are noticed before anything is written."""
    ended = subprocess.run(
        [sys.executable, "-c", GAP, str(tmp_path), str(gap)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert ended.returncode == 3
    assert ended.stderr == f"perdiem: source[3]: a batch begins at {gap}, but 0 comes next\n"


CRASH = """
import asyncio, sys
from pathlib import Path
from mode import Service
from tests.streams.once.fakes import an_app

class Child(Service):
    @Service.task
    async def fail(self) -> None:
        raise KeyError("a patient")

async def main() -> None:
    app = an_app(Path(sys.argv[1]))
    child = Child(beacon=app.beacon)
    await child.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_what_crashes_in_a_service_of_faust_ends_the_process(tmp_path: Path) -> None:
    """Its fetcher, say: a line without the error's text, and an exit code that a restart mends."""
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1] == "perdiem: Faust crashed: KeyError at <string>:10"
