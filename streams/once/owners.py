"""Owners: which partitions this worker owns; takes the place of Faust's table manager."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerIdMapping, KafkaError
from faust.tables.manager import TableManager
from faust.types import TP
from mode import Service

from streams.once.cluster import Cluster
from streams.once.failure import EXIT_REFUSED, Fault, Refused, die, die_of, where
from streams.once.owner import Agent, Owner, State
from streams.once.restore import Restorer
from streams.once.resume import created_again, resume
from streams.once.slot import Slot
from streams.once.table import AnyTable, Slice
from streams.once.watch import Watch

if TYPE_CHECKING:
    from streams.once.app import OnceApp
    from streams.once.consumer import Consumer

log = logging.getLogger(__name__)

_STARTS_AT_ONCE = 16
"""Producers starting together: each opens two connections to a broker."""
_LOOK_EVERY = 1.0


class Owners(TableManager):
    """Acquires partitions in the background, hands them their batches, and lets them go.

    Nothing slow runs in a rebalance callback, for heartbeats rest meanwhile: a restore longer than
    the session timeout would expel the worker, again and again.
    """

    app: "OnceApp"

    def __init__(self, app: "OnceApp", **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self.agents: dict[str, Agent] = {}
        """By source topic."""
        self.owners: dict[TopicPartition, Owner] = {}
        self.generation: int | None = None
        self.watch = Watch(app.engine)
        self._closing: dict[TopicPartition, asyncio.Task[None]] = {}
        self._serving: asyncio.Task[None] | None = None
        self._starting = asyncio.Semaphore(_STARTS_AT_ONCE)
        self._restorer = Restorer(app.engine)
        self._cluster = Cluster(app.engine, app.conf.id)
        self._slot: Slot | None = None

    # What Faust asks of a table manager

    @property
    def changelog_topics(self) -> set[str]:
        """Reported, never subscribed: the restorer reads them."""
        return {changelog for agent in self.agents.values() for changelog in agent.changelogs.values()}

    async def on_start(self) -> None:
        self._tables_finalized.set()
        self._tables_registered.set()

    async def wait_until_recovery_completed(self) -> bool:
        return False

    async def on_stop(self) -> None:
        await cast(Any, self.app)._fetcher.stop()
        self._stop_serving()
        await asyncio.gather(*(owner.release() for owner in self.owners.values()), *self._closing.values())
        self.owners.clear()
        await self._restorer.close()
        await self._cluster.close()
        if self._slot is not None:
            self._slot.release()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        for owner in self.owners.values():
            owner.epoch += 1
            if owner.state is State.READY:
                owner.state = State.RESTORED

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """A partition assigned again in the very next generation keeps its owner; nobody else had it."""
        self._stop_serving()
        wanted = {TopicPartition(tp.topic, tp.partition) for tp in assigned if tp.topic in self.agents}
        follows = self.generation is not None and generation_id == self.generation + 1
        leaving = [
            tp for tp, owner in self.owners.items() if tp not in wanted or not follows or owner.released
        ]
        for tp in leaving:
            self._release(self.owners.pop(tp))
        new = sorted(tp for tp in wanted if tp not in self.owners)
        kept = len(wanted) - len(new)
        self.generation = generation_id
        for tp in new:
            self._acquire(tp)
        self.app.observer.rebalanced(generation_id, kept, len(new), len(leaving))
        counts = {"partitions": len(wanted), "kept": kept, "acquired": len(new), "released": len(leaving)}
        log.info("rebalanced", extra={"generation": generation_id, **counts})
        if self.app.consumer_generation_id != generation_id:
            return
        await self.app.on_rebalance_complete.send()
        consumer = self._consumer
        consumer.resume_partitions(assigned)
        self.app.flow_control.resume()
        consumer.resume_flow()
        await cast(Any, self.app)._fetcher.maybe_start()
        self.on_actives_ready()
        self.on_standbys_ready()
        self.app.on_rebalance_end()
        restored = [owner for owner in self.owners.values() if owner.state is State.RESTORED]
        if restored:
            self._serving = asyncio.create_task(self._serve_again(restored), name="serve again")

    # Reading the state

    def slices(self, table: AnyTable) -> list[Slice[Any, Any]]:
        """The slices of ``table`` that are complete on this worker."""
        return [
            owner.slices[table]
            for owner in self.owners.values()
            if table in owner.slices and owner.state in (State.READY, State.RESTORED)
        ]

    @property
    def ready(self) -> bool:
        """Every partition assigned to this worker is owned and restored, or none is; Kafka answers."""
        return (
            not self.app.rebalancing
            and self.watch.in_touch
            and self.generation is not None
            and all(owner.state is State.READY for owner in self.owners.values())
        )

    # Acquiring and letting go

    def _acquire(self, tp: TopicPartition) -> None:
        owner = Owner(self.agents[tp.topic], tp, self.app.conf.id, self.app.engine, self.app.observer)
        self.owners[tp] = owner
        owner.task = asyncio.create_task(self._bring_up(owner), name=f"acquire {owner.transactional_id}")

    def _release(self, owner: Owner) -> None:
        """In the background; whoever acquires the partition again on this worker waits for it."""
        before = self._closing.get(owner.tp)
        task = asyncio.create_task(self._close(owner, before), name=f"release {owner.transactional_id}")
        self._closing[owner.tp] = task

    async def _close(self, owner: Owner, before: "asyncio.Task[None] | None") -> None:
        await owner.release()
        if before is not None:
            await before
        if self._closing.get(owner.tp) is asyncio.current_task():
            del self._closing[owner.tp]

    async def _bring_up(self, owner: Owner) -> None:
        tp = owner.tp
        try:
            if tp in self._closing:
                await asyncio.shield(self._closing[tp])
            async with self._starting:
                await self._start_producer(owner)
            if self._slot is None:
                self._slot = Slot(self.app.engine.data_dir / self.app.conf.id)
            owner.open_store(self._slot.folder, await self._cluster.id())
            position = await self._restorer.restore(owner)
            offsets = await self._cluster.offsets(tp)
            owner.position = resume(tp, position, offsets, self.app.engine.partitions)
            owner.digest = position.digest if position else ""
            owner.topic_id = offsets.topic_id
            owner.state = State.RESTORED
            await self._serve(owner)
        except asyncio.CancelledError:
            raise
        except Refused as refusal:
            die(str(refusal), code=EXIT_REFUSED)
        except KafkaError as error:
            die_of(f"{tp.topic}[{tp.partition}]: cannot be acquired for {owner.agent.name}:", error)
        except Fault as error:
            die(f"{tp.topic}[{tp.partition}]: cannot be acquired for {owner.agent.name}: {error}")
        except BaseException as error:
            die(f"{tp.topic}[{tp.partition}]: cannot be acquired for {owner.agent.name}: {where(error)}")

    async def _start_producer(self, owner: Owner) -> None:
        longest = self.app.engine.restore_timeout
        try:
            async with asyncio.timeout(longest):
                await owner.start_producer()
        except TimeoutError:
            raise Fault(f"its producer did not start within {longest:.0f} s") from None

    def _stop_serving(self) -> None:
        """What was asked for an earlier rebalance says nothing of what came after."""
        if self._serving is not None:
            self._serving.cancel()

    async def _serve_again(self, owners: Sequence[Owner]) -> None:
        """Serve ``owners``, kept over a rebalance, if their sources are still those that they read."""
        try:
            await self._compare(owners)
            await asyncio.gather(*map(self._serve, owners))
        except Refused as refusal:
            die(str(refusal), code=EXIT_REFUSED)
        except Exception as error:
            die(f"{len(owners)} partitions that were kept cannot be served: {where(error)}")

    async def _compare(self, owners: Sequence[Owner]) -> None:
        """Raises Refused for a topic created again meanwhile: its records would pass for processed ones.

        If Kafka does not tell, nothing speaks against the topics: that alone ends no worker.
        """
        try:
            ids = await self._cluster.topic_ids({owner.tp.topic for owner in owners})
        except Exception as error:
            what = "Kafka does not tell whether a source topic was created again"
            log.warning(what, extra={"error": where(error)})
            return
        for owner in owners:
            if ids.get(owner.tp.topic) not in (None, owner.topic_id):
                raise created_again(owner.tp, owner.position)

    async def _serve(self, owner: Owner) -> None:
        """Seek to the owner's position and let it be polled, if it is still assigned."""
        generation, epoch = self.generation, owner.epoch
        if not self._current(owner, generation):
            return
        if not await self._consumer.thread.seek_to(owner.tp, owner.position):
            return
        if self._current(owner, generation) and owner.epoch == epoch and owner.state is State.RESTORED:
            owner.inflight_since = None
            owner.state = State.READY
            self._consumer.thread.wake()
            if self.ready:
                told = {"generation": generation, "partitions": len(self.owners)}
                log.info("ready", extra=told)

    def _current(self, owner: Owner, generation: int | None) -> bool:
        return (
            self.owners.get(owner.tp) is owner
            and generation == self.generation == self.app.consumer_generation_id
            and not self.app.rebalancing
        )

    async def fenced(self, owner: Owner, error: BaseException) -> None:
        """The broker refused the owner's producer: fenced by a successor, or its transaction timed out.

        Still a member: acquire anew, once between two commits. Otherwise the process ends.
        """
        name = f"{owner.tp.topic}[{owner.tp.partition}]"
        self.app.observer.fenced(owner)
        if self.owners.get(owner.tp) is not owner or self.app.rebalancing:
            owner.state = State.RELEASED
            return
        again = owner.fenced + (0 if isinstance(error, InvalidProducerIdMapping) else 1)
        if again > 1 or not await self._consumer.thread.is_member():
            die(f"{name}: fenced by another worker, or the transaction timed out: {type(error).__name__}")
        if self.owners.get(owner.tp) is not owner or self.app.rebalancing:
            owner.state = State.RELEASED
            return
        told = {"agent": owner.agent.name, **owner.tp._asdict()}
        log.warning("fenced, or the transaction timed out; acquiring it anew", extra=told)
        self._release(self.owners.pop(owner.tp))
        self._acquire(owner.tp)
        self.owners[owner.tp].fenced = again

    # Draining and watching

    async def drain(self) -> None:
        """Let the running units end; new ones do not begin, for their epoch has passed."""
        running = [owner.unit.ended.wait() for owner in self.owners.values() if owner.unit is not None]
        if running:
            await self._within_deadline(asyncio.gather(*running))

    async def _within_deadline(self, ending: Awaitable[Any]) -> None:
        try:
            await asyncio.wait_for(ending, self.app.engine.unit_deadline)
        except TimeoutError:
            die("running units did not end within their deadline")

    @Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            await self.sleep(_LOOK_EVERY)
            # Before the first assignment nobody polls, who would hear of it.
            self._consumer.thread.check_group()
            self.watch.look(self.owners.values(), in_touch=self._consumer.thread.in_touch)

    @property
    def _consumer(self) -> "Consumer":
        return cast("Consumer", self.app.consumer)
