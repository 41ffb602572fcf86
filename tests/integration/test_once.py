"""The engine on a real Kafka: whatever happens, every record is counted exactly once."""

import asyncio
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from streams.local_worker import LocalWorker
from streams.once import Step
from streams.once.failure import EXIT_FAILED, EXIT_REFUSED
from streams.once.store import Store
from tests.integration.counter import BETWEEN_LOG, OUT, SOURCE, SOURCE_LOG
from tests.integration.counting import Counting, last_words, stands_still, told, until
from tests.kafka import Sent, produce, wait_for

pytestmark = pytest.mark.integration


async def test_a_killed_worker_loses_and_doubles_nothing(counting: Counting) -> None:
    """kill -9 of one of two workers under load, and its restart: every record is counted once."""
    workers = [counting.start(), counting.start()]
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    async with counting.load():
        workers[0].process.kill()
        await counting.ready()
    assert await counting.exact()


async def test_a_rolling_restart_loses_and_doubles_nothing_and_waits_for_no_session(
    counting: Counting,
) -> None:
    """SIGTERM under load ends a worker with exit 0 within 5 s, and the other takes over at once.

    With sessions of five minutes the test would time out if anybody waited for one.
    """
    long = {"session_timeout": 300.0}
    workers = [counting.start(**long), counting.start(**long)]
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    async with counting.load():
        for worker in workers:
            worker.process.signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.process.wait, 5) == 0
            await counting.all_counted()
            await counting.ready(**long)
    assert await counting.exact()


async def test_a_crash_in_an_agent_ends_the_worker_with_one_line_that_holds_no_data(
    counting: Counting,
) -> None:
    """It names topic, partition, agent and step; the exception's text, which quotes a key, is nowhere."""
    worker = await counting.ready("break")
    await counting.send(1)
    assert await counting.ended(worker) == EXIT_FAILED
    [line] = last_words(worker)
    topic = counting.topic(SOURCE)
    assert line.startswith((f"perdiem: {topic}[0]: passer failed", f"perdiem: {topic}[1]: passer failed"))
    assert "in step 0 (fill): ValueError at integration/counter.py:" in line
    assert "k0" not in worker.log.read_text()
    await counting.bury()
    await counting.ready()
    assert await counting.exact()


async def test_a_worker_killed_at_any_step_of_a_commit_leaves_exact_counts(
    counting: Counting,
) -> None:
    """Each step in turn is the last that a worker reaches; the next one goes on from what was committed."""
    for step in list(Step)[2:]:  # at the first nothing has left yet, as at the second
        worker = counting.start("kill", "counter", step.name)
        await counting.send(100)
        assert await counting.ended(worker) == -signal.SIGKILL
        await counting.bury()
    await counting.ready()
    assert await counting.exact()


async def test_a_robbed_owner_acquires_its_partition_anew(counting: Counting) -> None:
    """Fenced in the middle of a unit it aborts, comes back once with a new producer, and counts on."""
    worker = await counting.ready("rob", "counter", "1")
    await counting.send(100)
    assert await counting.exact()
    assert worker.log.read_text().count("acquiring it anew") == 1


async def test_a_worker_robbed_again_before_a_commit_ends(counting: Counting) -> None:
    """Two workers that take a partition from each other for ever would be worse than one that ends."""
    worker = await counting.ready("rob", "counter", "2")
    await counting.send(1)
    assert await counting.ended(worker) == EXIT_FAILED
    [line] = last_words(worker)
    assert "fenced by another worker, or the transaction timed out" in line
    await counting.bury()
    await counting.ready()
    assert await counting.exact()


async def test_a_worker_frozen_in_a_commit_writes_nothing_when_it_thaws(
    counting: Counting,
) -> None:
    """Frozen before its commit and replaced meanwhile, its transaction is not committed any more."""
    frozen = await counting.ready("freeze", "counter", "COMMIT")
    await counting.send(100)
    await stands_still(frozen)
    await counting.bury()
    await counting.ready()
    await counting.all_counted()
    frozen.process.signal(signal.SIGCONT)
    await counting.send(100)
    await counting.all_counted()
    code = frozen.process.exit_code
    assert code in (None, EXIT_FAILED)
    assert len(last_words(frozen)) == (0 if code is None else 1)
    assert await counting.exact()


async def test_a_worker_that_was_replaced_while_it_stood_still_never_goes_on_from_what_it_knew(
    counting: Counting,
) -> None:
    """Somebody else has written meanwhile: it joins again and reads its state anew, or is fenced and ends.

    Which of the two depends on what it hears of first, a new record or the end of its membership.
    """
    frozen = await counting.ready()
    await counting.send(50)
    await counting.all_counted()
    frozen.process.signal(signal.SIGSTOP)
    await counting.bury()
    other = await counting.ready()
    await counting.send(50)
    await counting.all_counted()
    frozen.process.signal(signal.SIGCONT)

    async def decided() -> bool:
        return frozen.process.exit_code is not None or await counting.both_are_members()

    await until(decided)
    if frozen.process.exit_code is None:
        await asyncio.to_thread(frozen.wait_ready)
    else:
        assert frozen.process.exit_code == EXIT_FAILED
        assert "fenced by another worker" in last_words(frozen)[-1]
        frozen = await counting.ready()

    async def whole() -> bool:
        state = [await counting.state(worker) for worker in (frozen, other)]
        return sum((Counter(tables["passed"]) for tables in state), Counter()) == counting.sent

    await until(whole)
    await counting.send(50)
    assert await counting.exact()


async def test_state_is_restored_from_the_changelog(counting: Counting) -> None:
    """With the local stores deleted everything is read again, and the tables are what the outputs say."""
    await counting.ready()
    await counting.send(200)
    await counting.all_counted()
    assert counting.stop() == [0]
    shutil.rmtree(counting.settings.data_dir / counting.settings.app_id)
    worker = await counting.ready()
    assert restored(worker) >= 200 / counting.settings.max_poll_records
    assert await counting.state(worker) == {"passed": counting.sent, "counts": counting.sent}
    await counting.send(50)
    assert await counting.exact()


async def test_a_store_is_read_on_from_where_it_stopped(counting: Counting, tmp_path: Path) -> None:
    """A current one reads one record of each changelog, to prove itself; an older copy put back, the tail."""
    stores = counting.settings.data_dir / counting.settings.app_id
    await counting.ready()
    await counting.send(200)
    await counting.all_counted()
    assert counting.stop() == [0]
    shutil.copytree(stores, tmp_path / "copy")
    current = await counting.ready()
    assert [fact["records"] for fact in told(current, "restored")] == [1, 1, 1, 1]
    assert await counting.state(current) == {"passed": counting.sent, "counts": counting.sent}
    await counting.send(50)
    await counting.all_counted()
    assert counting.stop() == [0]
    shutil.rmtree(stores)
    shutil.copytree(tmp_path / "copy", stores)
    older = await counting.ready()
    assert "is built again" not in current.log.read_text() + older.log.read_text()
    assert await counting.state(older) == {"passed": counting.sent, "counts": counting.sent}
    await counting.send(50)
    assert await counting.exact()


async def test_a_store_of_another_history_is_thrown_away(counting: Counting) -> None:
    """Where offset and topic fit but the digest does not, nothing of the store is believed."""
    await counting.ready()
    await counting.send(200)
    await counting.all_counted()
    assert counting.stop() == [0]
    log = counting.topic(BETWEEN_LOG)
    for partition in range(counting.settings.partitions):
        folder = counting.settings.data_dir / counting.settings.app_id / "0" / f"{log}-{partition}"
        async with counting.admin() as admin:
            cluster = str((await admin.describe_cluster())["cluster_id"])
        store = Store(folder, cluster, log, partition)
        assert store.applied is not None
        lies = [(f"counts\0k{key}".encode(), b"1000") for key in range(7)]
        store.apply(lies, (store.applied.offset, "another"))
        store.close()
    worker = await counting.ready()
    assert worker.log.read_text().count("its last position is not in the changelog") == 2
    assert await counting.state(worker) == {"passed": counting.sent, "counts": counting.sent}
    await counting.send(50)
    assert await counting.exact()


def latest(workers: list[LocalWorker]) -> set[int]:
    """The generations that the workers last heard of: one, once all have heard of the same."""
    return {told(worker, "generation")[-1]["generation"] for worker in workers}


async def test_a_restore_longer_than_the_session_keeps_the_group_stable(
    counting: Counting, tmp_path: Path
) -> None:
    """A worker stays a member while it restores, a rebalance in the middle does not start it over."""
    await counting.ready()
    await counting.send(200)
    await counting.all_counted()
    assert counting.stop() == [0]
    shutil.rmtree(counting.settings.data_dir / counting.settings.app_id)
    hold = tmp_path / "hold"
    hold.touch()
    workers = [counting.start("hold", str(hold))]
    await until(lambda: bool(told(workers[0], "generation")))
    workers.append(counting.start("hold", str(hold)))
    await until(counting.both_are_members)
    await until(lambda: bool(told(workers[1], "generation")) and len(latest(workers)) == 1)
    settled = [told(worker, "generation") for worker in workers]
    async with counting.silent() as silent:
        await until(silent.is_empty)
    assert await counting.both_are_members()
    assert [told(worker, "generation") for worker in workers] == settled
    assert [told(worker, "restored") for worker in workers] == [[], []]
    hold.unlink()
    await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in workers))
    await counting.send(50)
    assert await counting.exact()


async def test_a_foreign_open_transaction_on_a_changelog_is_waited_for_and_then_named(
    counting: Counting,
) -> None:
    """What lies behind it cannot be read: the worker says which partition, and does not start without it."""
    await counting.ready()
    await counting.send(50)
    await counting.all_counted()
    assert counting.stop() == [0]
    log = counting.topic(SOURCE_LOG)
    foreign = AIOKafkaProducer(**counting.settings.kafka(), transactional_id=f"{counting.topic('foreign')}")
    await foreign.start()
    await foreign.begin_transaction()
    await foreign.send_and_wait(log, b"", b"passed\0k0", partition=1)
    worker = counting.start(restore_timeout=1.0)
    assert await counting.ended(worker) == EXIT_REFUSED
    [line] = last_words(worker)
    assert line.startswith(f"perdiem: {log}[1]: a foreign transaction stays open at offset ")
    await counting.bury()
    waiting = counting.start()
    await until(lambda: bool(told(waiting, "restored")))
    await foreign.abort_transaction()
    await foreign.stop()
    await asyncio.to_thread(waiting.wait_ready)
    await counting.send(50)
    assert await counting.exact()


async def test_offsets_committed_beyond_what_was_processed_are_refused(counting: Counting) -> None:
    """Somebody skipped records: the worker names them and does not go on without them."""
    at = await stopped_at(counting)
    source = counting.topic(SOURCE)
    await counting.commit({TopicPartition(source, 0): at[0] + 5})
    worker = counting.start()
    assert await counting.ended(worker) == EXIT_REFUSED
    assert last_words(worker) == [
        f"perdiem: {source}[0]: offsets {at[0]} to {at[0] + 4} were committed but never processed here: "
        f"reset the group's offset to {at[0]}"
    ]
    await counting.bury()
    await counting.commit({TopicPartition(source, 0): at[0]})
    await counting.ready()
    await counting.send(50)
    assert await counting.exact()


async def test_offsets_that_were_reset_are_replayed(counting: Counting) -> None:
    """Every record is dealt with once more, and the worker says so: to absorb that is up to the agent."""
    at = await stopped_at(counting)
    await counting.commit({TopicPartition(counting.topic(SOURCE), partition): 0 for partition in at})
    counting.sent += counting.sent
    worker = await counting.ready()
    await counting.all_counted()
    assert await counting.state(worker) == {"passed": counting.sent, "counts": counting.sent}
    assert worker.log.read_text().count("offsets were reset") == 2
    assert await counting.exact()


async def test_records_deleted_before_they_were_processed_are_refused(counting: Counting) -> None:
    """Retention took what nobody had read: the worker names the range, and goes on only when told to."""
    at = await stopped_at(counting)
    source = TopicPartition(counting.topic(SOURCE), 0)
    await produce(counting.settings, [Sent(source.topic, b"", b"lost", partition=0)] * 3)
    async with counting.admin() as admin:
        await admin.delete_records({source: RecordsToDelete(at[0] + 3)})
    worker = counting.start()
    assert await counting.ended(worker) == EXIT_REFUSED
    assert last_words(worker) == [
        f"perdiem: {source.topic}[0]: records {at[0]} to {at[0] + 2} were deleted before they were "
        f"processed: restore them, or accept the loss by resetting the group's offset to {at[0] + 3}"
    ]
    await counting.bury()
    await counting.commit({source: at[0] + 3})
    worker = await counting.ready()
    assert f"first={at[0]} last={at[0] + 2}" in worker.log.read_text()
    await counting.send(50)
    assert await counting.exact()


async def test_another_number_of_partitions_is_refused(counting: Counting) -> None:
    """Keys would move to other partitions, away from their state."""
    await stopped_at(counting)
    worker = counting.start(partitions=4)
    assert await counting.ended(worker) == EXIT_REFUSED
    [line] = last_words(worker)
    assert "was written with 2 partitions" in line
    assert "now there are 4" in line


async def test_a_deleted_output_topic_ends_the_worker_within_the_units_deadline(
    counting: Counting,
) -> None:
    """One line, and nothing waits for an abort that never ends; with the topic back nothing is missing."""
    worker = await counting.ready(transaction_timeout=4.0)
    await counting.send(70)
    await counting.all_counted()
    async with counting.admin() as admin:
        await admin.delete_topics([counting.topic(OUT)])
    await counting.send(70)
    assert await counting.ended(worker) == EXIT_FAILED
    [line] = last_words(worker)
    assert "counter failed in step 1 (write): not done within 2 s" in line
    await counting.create_topics(OUT)
    await counting.bury()
    await counting.ready()
    await wait_for(counting.settings, counting.topic(OUT), 70)
    assert counting.stop() == [0]
    assert await counting.counted() == counting.expected(already=10)


async def test_a_source_that_is_written_in_transactions_does_not_stall(counting: Counting) -> None:
    """Markers and aborted records fill offsets without a record; what comes after them is counted."""
    await counting.ready()
    for turn in range(6):
        await transaction(counting, commit=turn % 2 == 1)
        await counting.all_counted()
    assert await counting.exact()


async def test_markers_that_retention_deletes_are_not_missed(counting: Counting) -> None:
    """Offsets without a record are committed, too: that they are gone after an idle week loses nothing."""
    await counting.ready()
    await transaction(counting, commit=True)
    await counting.all_counted()
    await transaction(counting, commit=False)
    source = [TopicPartition(counting.topic(SOURCE), partition) for partition in (0, 1)]
    ends = dict.fromkeys(source, 4)

    async def caught_up() -> bool:
        return await counting.committed(SOURCE) == ends

    await until(caught_up)
    assert counting.stop() == [0]
    async with counting.admin() as admin:
        await admin.delete_records({tp: RecordsToDelete(4) for tp in source})
    await counting.ready()
    await counting.send(50)
    assert await counting.exact()


async def transaction(counting: Counting, *, commit: bool) -> None:
    """A source writes one record to each partition in a transaction."""
    producer = AIOKafkaProducer(**counting.settings.kafka(), transactional_id=counting.topic("source"))
    await producer.start()
    await producer.begin_transaction()
    for partition in (0, 1):
        await producer.send_and_wait(counting.topic(SOURCE), b"", b"t%d" % partition, partition=partition)
    if commit:
        await producer.commit_transaction()
        counting.sent.update(["t0", "t1"])
    else:
        await producer.abort_transaction()
    await producer.stop()


async def stopped_at(counting: Counting) -> dict[int, int]:
    """Count some records and stop; the group's offset of each partition of the source."""
    await counting.ready()
    await counting.send(50)
    await counting.all_counted()
    assert counting.stop() == [0]
    return {tp.partition: at for tp, at in (await counting.committed(SOURCE)).items()}


def restored(worker: LocalWorker) -> int:
    """How many changelog records ``worker`` read at its start."""
    return sum(fact["records"] for fact in told(worker, "restored"))
