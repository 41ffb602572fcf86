"""The consumer under Faust: batches instead of records, positions read with the drain."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchError
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams.once.batch import Batch
from streams.once.failure import die, die_of, where
from streams.once.owner import State

if TYPE_CHECKING:
    from streams.once.app import OnceApp

_FETCH_WAIT_MS = 500
_FETCH_BYTES = 1 << 20
"""Of one partition in one fetch. A batch that has as many bytes does not grow: a unit has a deadline, and
with 4 MiB a busy worker held 43 MiB more, no faster."""
_FETCH_PAUSE = 0.01
"""Seconds between two looks at what was fetched, and so between two fetches."""
_MARKERS_WAIT = 2.0
"""Seconds since the last commit before one is spent on offsets that hold no record."""
_IDLE_WAIT = 1.0
"""Seconds a poll waits for records; it is woken when a partition becomes pollable."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer on a thread of its own, so that heartbeats go on while an agent computes."""

    app: "OnceApp"
    _wake: "asyncio.Future[None] | None" = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ahead: dict[TopicPartition, Batch] = {}
        """What was fetched and waits until its owner is idle."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Replaces Faust's: read_committed, no reset policy, and always Faust's own assignor.

        With no changelog among the subscribed topics Faust would pick aiokafka's round robin: no
        stickiness, and no worker would know another's address.
        """
        engine = self.app.engine
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            **engine.kafka,
            client_id=f"{self.app.conf.id}-worker",
            group_id=self.app.conf.id,
            partition_assignment_strategy=[self.app.assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_poll_records=engine.max_poll_records,
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            session_timeout_ms=int(engine.session_timeout * 1000),
            heartbeat_interval_ms=int(engine.heartbeat * 1000),
            rebalance_timeout_ms=int(engine.transaction_timeout * 1000),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> Any:
        """A batch for every partition whose owner is ready and idle; wait for one if there is none."""
        fetcher = consumer._fetcher
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _IDLE_WAIT
        while self.consumer.flow_active and not consumer._closed:
            self._wake = wake = loop.create_future()
            # Only Faust's asking counts: a loop that hangs is to lose its partitions (max.poll.interval.ms).
            with fetcher._subscriptions.fetch_context():
                batches = self._batches(fetcher)
            left = deadline - loop.time()
            if batches or left <= 0:
                return batches
            await asyncio.wait([wake], timeout=left)
        return {}

    @Service.task
    async def _keep_draining(self) -> None:
        """Whether Faust asks or not: what waits in aiokafka holds up the next fetch from that broker.

        Drained only when Faust asked there were 7 fetches a second at 1,000 events/s, drained as they come
        220, each 1 ms of CPU time.
        """
        fetcher = self._ensure_consumer()._fetcher
        while not self.should_stop:
            await asyncio.sleep(_FETCH_PAUSE)
            if not fetcher._records:
                arrived = fetcher._create_fetch_waiter()
                await asyncio.wait([arrived], timeout=_IDLE_WAIT)
                if not arrived.cancel():
                    arrived.exception()  # check_group tells it; never asked for, asyncio would log it
            self._drain(fetcher)
            self._wake_now()

    def _batches(self, fetcher: Fetcher) -> dict[TopicPartition, list[ConsumerRecord]]:
        """What is due of what was taken. A batch travels through Faust as the value of one record."""
        if not self._flows(fetcher):
            return {}
        self._ahead = {tp: ahead for tp, ahead in self._ahead.items() if self._holds(tp, ahead)}
        handed = {}
        lanes = self._free_lanes()
        for batch in list(self._ahead.values()):
            owner = batch.owner
            due = batch.records or owner.rested > _MARKERS_WAIT
            if due and owner.pollable and lanes[owner.agent.name] > 0:
                lanes[owner.agent.name] -= 1
                owner.drained()
                handed[batch.tp] = [_carrier(batch.tp, self._ahead.pop(batch.tp))]
        return handed

    def _drain(self, fetcher: Fetcher) -> None:
        """Take what was fetched, also for an owner whose last batch is not committed yet.

        A batch is then all that came during the commit before it. One synchronous step of the consumer's
        thread: no seek and no new assignment comes between the positions, the epoch and the records.
        """
        if not self._flows(fetcher):
            return
        assignment = fetcher._subscriptions.subscription.assignment
        for tp in list(fetcher._records):
            owner = self.app.tables.owners.get(tp)
            if owner is None or owner.state is not State.READY or tp not in assignment.tps:
                continue
            result, epoch = fetcher._records[tp], owner.epoch
            if type(result) is FetchError:
                die_of(f"{tp.topic}[{tp.partition}]: cannot be read:", result._error)
            state = assignment.state_value(tp)
            start = state.position
            ahead = self._ahead.get(tp)
            if ahead is None or not self._holds(tp, ahead) or ahead.end != start:
                ahead = Batch(tp, start, start, [], owner, epoch)
            room = self.app.engine.max_poll_records - len(ahead.records)
            if room <= 0 or _bytes(ahead) >= _FETCH_BYTES:
                continue
            records = [*ahead.records, *result.getall(room)]
            if not result.has_more():
                del fetcher._records[tp]
                fetcher._notify(fetcher._wait_consume_future)
            if state.position > start:
                self._ahead[tp] = Batch(tp, ahead.start, state.position, records, owner, epoch)

    def _flows(self, fetcher: Fetcher) -> bool:
        return self.consumer.flow_active and not fetcher._subscriptions.reassignment_in_progress

    def _holds(self, tp: TopicPartition, ahead: Batch) -> bool:
        """Whether ``ahead`` was taken for the present owner, in its present epoch."""
        owner = self.app.tables.owners.get(tp)
        return owner is ahead.owner and owner.epoch == ahead.epoch

    def _free_lanes(self) -> Counter[str]:
        """By name of the agent. A batch that waits for a lane is not handed out: here it can grow."""
        tables = self.app.tables
        free = Counter({agent.name: self.app.engine.lanes for agent in tables.agents.values()})
        free.subtract(owner.agent.name for owner in list(tables.owners.values()) if owner.inflight_since)
        return free

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """The last of ``fmt`` is the error; mode would print its traceback."""
        die(f"Faust's consumer crashed: {where(fmt[-1])}")

    def check_group(self) -> None:
        """End the process if the group does not take this worker; called from the app's loop."""
        if self.thread_loop.is_running():
            self.thread_loop.call_soon_threadsafe(self._check_group)

    def _check_group(self) -> None:
        try:
            if self._consumer is not None:
                self._consumer._coordinator.check_errors()
        except KafkaError as error:
            die_of(f"group {self.app.conf.id}:", error)

    def wake(self) -> None:
        """A partition became pollable, or the flow stopped; called from the app's loop."""
        if self.thread_loop.is_running():
            self.thread_loop.call_soon_threadsafe(self._wake_now)

    def _wake_now(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def seek_to(self, tp: TopicPartition, position: int) -> bool:
        """Move the consumer to ``position``; False if the partition is not assigned any more."""
        return cast(bool, await self.call_thread(self._seek_now, tp, position))

    async def _seek_now(self, tp: TopicPartition, position: int) -> bool:
        consumer = self._ensure_consumer()
        if tp not in consumer.assignment():
            return False
        consumer.seek(tp, position)
        self._ahead.pop(tp, None)
        # Faust drops a record whose offset is below the last it read.
        self.consumer._read_offset.pop(TP(tp.topic, tp.partition), None)
        return True

    def log_end(self, tp: TopicPartition) -> int | None:
        """Where the committed records of ``tp`` end, as the last fetch told; None before there was one."""
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        state = assignment.state_value(tp) if assignment is not None else None
        return None if state is None else cast("int | None", state.lso)

    @property
    def in_touch(self) -> bool:
        """Whether the group's coordinator was there when it was last needed: at most a heartbeat ago."""
        return self._consumer is not None and self._consumer._coordinator.coordinator_id is not None

    async def is_member(self) -> bool:
        """Ask the group coordinator whether this worker still belongs to its generation."""
        coordinator = self._ensure_consumer()._coordinator
        return cast(bool, await self.call_thread(coordinator._do_heartbeat))

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Off: it misreads batches as a stalled stream. ``Owners`` has a stall test of its own."""


class Consumer(driver.Consumer):
    """Faust's commit, ack and gap bookkeeping is off: offsets travel in the transactions.

    Fed with batches its gap tree made each one slower than the last: 7.7 ms after 375.
    """

    _thread: ConsumerThread

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def thread(self) -> ConsumerThread:
        return self._thread

    def stop_flow(self) -> None:
        super().stop_flow()
        self._thread.wake()

    def track_message(self, message: Any) -> None:
        """Units of work are drained instead of messages awaited; see ``wait_empty``."""

    async def wait_empty(self) -> None:
        """Let running units commit; runs at a revoke and at a stop, before producers close."""
        await cast("OnceApp", self.app).tables.drain()

    async def perform_seek(self) -> None:
        """Owners seek, when they become ready."""

    async def commit(self, *_: Any, **__: Any) -> bool:
        return True


class Transport(driver.Transport):
    Consumer = Consumer


def _bytes(batch: Batch) -> int:
    return sum(record.serialized_value_size for record in batch.records)


def _carrier(tp: TopicPartition, batch: Batch) -> ConsumerRecord[None, Any]:
    at = batch.records[-1] if batch.records else None
    return ConsumerRecord(
        topic=tp.topic,
        partition=tp.partition,
        offset=batch.end - 1,
        timestamp=at.timestamp if at else 0,
        timestamp_type=at.timestamp_type if at else 0,
        key=None,
        value=batch,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )
