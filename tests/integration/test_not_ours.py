"""Topics that are not what a worker left are refused in one line, before a record is lost or done twice."""

import signal

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete

from streams.once.failure import EXIT_REFUSED
from tests.integration.counter import BETWEEN_LOG, SOURCE
from tests.integration.counting import Counting, last_words, until

pytestmark = pytest.mark.integration


async def refused(counting: Counting, **changed: str) -> str:
    """The one line that a worker says as it refuses to start."""
    worker = counting.start(**changed)
    assert await counting.ended(worker) == EXIT_REFUSED
    [line] = last_words(worker)
    return line


async def counted(counting: Counting, count: int) -> None:
    """A worker counts ``count`` records and is stopped."""
    await counting.ready()
    await counting.send(count)
    await counting.all_counted()
    assert counting.stop() == [0]


async def create_again(counting: Counting) -> None:
    """Delete the source topic, create it and write more to it than there was."""
    source = counting.topic(SOURCE)

    async def gone() -> bool:
        async with counting.admin() as admin:
            return source not in await admin.list_topics()

    async with counting.admin() as admin:
        await admin.delete_topics([source])
    await until(gone)
    await counting.create_topics(SOURCE)
    await counting.send(200)


async def test_a_source_topic_created_again_is_refused_however_long_it_has_become(counting: Counting) -> None:
    """Its first records have the offsets of those that were processed, and would pass for them unseen."""
    await counted(counting, 50)
    source = counting.topic(SOURCE)
    await create_again(counting)
    line = await refused(counting)
    assert line.startswith((f"perdiem: {source}[0]: the topic was", f"perdiem: {source}[1]: the topic was"))
    assert "deleted and created again: its first" in line


async def test_a_source_topic_created_again_behind_a_worker_s_back_is_refused(counting: Counting) -> None:
    """It was not there to see it go, and goes on where it was, until the group changes: then it compares."""
    worker = await counting.ready()
    await counting.send(50)
    await counting.all_counted()
    source = counting.topic(SOURCE)
    worker.process.signal(signal.SIGSTOP)
    try:
        await create_again(counting)
        second = counting.start()
    finally:
        worker.process.signal(signal.SIGCONT)
    assert await counting.ended(worker) == EXIT_REFUSED
    [line] = last_words(worker)
    assert line.startswith((f"perdiem: {source}[0]: the topic was", f"perdiem: {source}[1]: the topic was"))
    assert "deleted and created again: its first" in line
    second.process.kill()


async def test_another_installation_on_the_same_topics_is_refused(counting: Counting) -> None:
    """A changed PERDIEM_APP_ID, say: both would process every record, and neither would fence the other."""
    await counted(counting, 50)
    line = await refused(counting, app_id="another")
    assert f"its changelog is that of group {counting.settings.app_id}, this is another: both would" in line
    await counting.ready()
    await counting.send(50)
    assert await counting.exact()


async def test_a_changelog_that_lost_its_first_records_is_refused(counting: Counting) -> None:
    """Retention was on it for a while: what it lost would be done again, though its position is there."""
    await counted(counting, 50)
    log = TopicPartition(counting.topic(BETWEEN_LOG), 0)
    async with counting.admin() as admin:

        async def policy(kept: str) -> None:
            config = {"cleanup.policy": kept}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, log.topic, config)])

        async def cut() -> bool:
            try:
                await admin.delete_records({log: RecordsToDelete(2)})
            except Exception:
                return False  # the broker has not heard of the policy yet
            return True

        await policy("delete")
        await until(cut)
        await policy("compact")
    assert await refused(counting) == (
        f"perdiem: {log.topic}[0]: records 0 to 1 of this changelog were deleted, and with them state: "
        "restore it, or what was done would be done again"
    )
