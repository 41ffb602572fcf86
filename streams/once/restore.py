"""Restorer: brings the state of newly owned partitions back from their changelogs."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition

from streams.kafka.consumer import Consumer
from streams.once.engine import Engine
from streams.once.failure import Refused
from streams.once.owner import Owner, State
from streams.once.position import POSITION_KEY, Position, decode_position

log = logging.getLogger(__name__)

_POLL_MS = 200
_POLL_RECORDS = 1000
"""Applied in one go, in 10 ms. All that had come, 4 MiB a partition then, held up commits for 0.5 s."""
_FETCH_BYTES = 1 << 20
"""Of one partition in one fetch. After 200,000 patient-days a worker held 168 MiB; with 4 MiB here, 286."""
_REPORT_EVERY = 5.0
_CLOSE_TIMEOUT = 2.0


class Job:
    """The restore of one owner: from ``start``, once known, to ``end``, the log's."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.tp = owner.changelog
        self.begun: float = time.monotonic()
        self.moved_at = self.begun
        self.done: asyncio.Future[Position | None] = asyncio.get_running_loop().create_future()
        self.position: Position | None = None
        self.read = 0

    def bound(self, beginning: int, end: int) -> None:
        """Start where the local store stopped, or at the beginning of the log."""
        self.beginning, self.end = beginning, end
        applied = self.owner.store.applied
        if applied is not None and applied.offset >= end:
            self.owner.store.wipe("its changelog does not reach where it stopped")
        self.begin()

    def begin(self) -> None:
        self.verifying = self.owner.store.applied
        self.start = self.at = self.beginning if self.verifying is None else self.verifying.offset
        self.owner.restore.total = self.end - self.start
        self.owner.restore.done = 0

    def apply(self, records: Sequence[Any]) -> bool:
        """Put ``records`` into the store; False if the store does not follow this changelog."""
        changes: list[tuple[bytes, bytes | None]] = []
        where: tuple[int, str] | None = None
        for record in records:
            if record.key == POSITION_KEY:
                self.position = decode_position(record.value)
                where = (record.offset, self.position.digest)
            if self.verifying is not None:
                if record.offset != self.verifying.offset or where != (record.offset, self.verifying.digest):
                    return False
                self.verifying = None
            elif record.key != POSITION_KEY:
                changes.append((record.key, record.value))
        self.owner.store.apply(changes, where)
        self.read += len(records)
        return True

    def refuse(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(Refused(f"{self.tp.topic}[{self.tp.partition}]: {why}"))


class Restorer:
    """One consumer for all restores of this worker; it runs only while there are any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unbound: dict[TopicPartition, Job] = {}
        self._jobs: dict[TopicPartition, Job] = {}
        self._restored: list[Job] = []
        self._changed = False
        self._task: asyncio.Task[None] | None = None

    async def restore(self, owner: Owner) -> Position | None:
        """Bring ``owner``'s store to the end of its changelog; the last position record, if any.

        The end is the log's, not the last stable offset: an open transaction of somebody else
        would hide committed records behind it, and the restore would end early without a word.
        Raises Refused when the changelog does not become readable to its end in time.
        """
        job = Job(owner)
        owner.state = State.RESTORING
        self._unbound[job.tp] = job
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="restore")
        try:
            position = await job.done
        finally:
            self._forget(job)
        owner.observer.restored(owner, job.read, time.monotonic() - job.begun)
        return position

    async def close(self) -> None:
        """Stop reading, and close the readers."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSE_TIMEOUT)

    def _forget(self, job: Job) -> None:
        if self._unbound.get(job.tp) is job:
            del self._unbound[job.tp]
        if self._jobs.get(job.tp) is job:
            del self._jobs[job.tp]
            self._changed = True

    async def _run(self) -> None:
        try:
            # Asked again once the readers are closed: a restore may begin while they close.
            while self._unbound or self._jobs:
                await self._read()
        except BaseException as error:
            for job in [*self._unbound.values(), *self._jobs.values()]:
                if not job.done.done():
                    job.done.set_exception(error)
            raise

    async def _read(self) -> None:
        async with (
            reader(self._engine, "read_uncommitted") as everything,
            reader(self._engine, "read_committed") as committed,
        ):
            reported = float("-inf")
            while self._unbound or self._jobs:
                await self._bind(everything, committed)
                if self._jobs:
                    await self._poll(committed)
                if (self._unbound or self._jobs) and time.monotonic() - reported > _REPORT_EVERY:
                    reported = time.monotonic()
                    self._report()
            self._tell_restored()

    async def _bind(self, everything: Consumer, committed: Consumer) -> None:
        """Find where the unbound jobs begin and end; one waits while a transaction hides its end."""
        if not self._unbound:
            return
        unbound = dict(self._unbound)
        beginnings = await everything.beginning_offsets(unbound)
        ends = await everything.end_offsets(unbound)
        stable = await committed.end_offsets(unbound)
        for tp, job in unbound.items():
            if tp not in self._unbound or self._unbound[tp] is not job:
                continue  # released meanwhile
            if beginnings[tp] > 0:
                # Compaction leaves where a log begins; retention and people do not.
                job.refuse(
                    f"records 0 to {beginnings[tp] - 1} of this changelog were deleted, and with them state: "
                    "restore it, or what was done would be done again"
                )
            elif stable[tp] >= ends[tp]:
                del self._unbound[tp]
                job.bound(beginnings[tp], ends[tp])
                self._jobs[tp] = job
                self._changed = True
            elif time.monotonic() - job.begun > self._engine.restore_timeout:
                job.refuse(
                    f"a foreign transaction stays open at offset {stable[tp]} of {ends[tp]}: "
                    "end it (kafka-transactions.sh abort), then start again"
                )
        if not self._jobs:
            await asyncio.sleep(_POLL_MS / 1000)

    async def _poll(self, consumer: Consumer) -> None:
        if self._changed:
            self._changed = False
            consumer.assign(list(self._jobs))
            for tp, job in self._jobs.items():
                consumer.seek(tp, job.at)
        if any(job.at < job.end for job in self._jobs.values()):
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
            for tp, records in polled.items():
                self._apply(tp, records)
        if not self._changed:
            await self._advance(consumer)

    def _apply(self, tp: TopicPartition, records: Sequence[Any]) -> None:
        job = self._jobs.get(tp)
        if job is not None and not job.apply(records):
            self._begin_anew(job)

    def _begin_anew(self, job: Job) -> None:
        """Compaction takes superseded position records; then the store cannot be verified."""
        job.owner.store.wipe("its last position is not in the changelog")
        job.begin()
        self._changed = True

    async def _advance(self, consumer: Consumer) -> None:
        for tp, job in list(self._jobs.items()):
            at = job.at if job.at >= job.end else await consumer.position(tp)
            if at > job.at:
                job.at, job.moved_at = at, time.monotonic()
                job.owner.restore.done = at - job.start
            if at >= job.end and job.verifying is not None:
                self._begin_anew(job)
            elif at >= job.end:
                self._forget(job)
                if not job.done.done():
                    job.done.set_result(job.position)
                    self._restored.append(job)
            elif time.monotonic() - job.moved_at > self._engine.restore_timeout:
                job.refuse(f"its restore stands still at offset {at} of {job.end}")

    def _report(self) -> None:
        restores = [job.owner.restore for job in self._jobs.values()]
        left = [restore.seconds_left for restore in restores if restore.seconds_left is not None]
        figures = {
            "partitions": len(self._jobs) + len(self._unbound),
            "done": sum(restore.done for restore in restores),
            "total": sum(restore.total for restore in restores),
            "seconds_left": round(max(left)) if left else None,
        }
        log.info("restoring", extra=figures)

    def _tell_restored(self) -> None:
        if self._restored:
            figures = {
                "partitions": len(self._restored),
                "records": sum(job.read for job in self._restored),
                "seconds": round(time.monotonic() - min(job.begun for job in self._restored), 1),
            }
            log.info("restored", extra=figures)
            self._restored.clear()


def reader(engine: Engine, isolation_level: str) -> Consumer:
    """A consumer outside any group. Positions are set by ``seek`` alone.

    With a reset policy a background reset races with the seek and can land at the end: 7 of 26
    restores once read nothing, and 9,951 charges were doubled.
    """
    return Consumer(
        **engine.kafka,
        isolation_level=isolation_level,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
