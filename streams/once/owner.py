"""Owner: one partition of one agent's source, held by this worker: its producer, state and position."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.once.engine import Engine
from streams.once.observer import Observer
from streams.once.producer import Producer
from streams.once.store import Store
from streams.once.table import AnyTable, Slice

if TYPE_CHECKING:
    from streams.once.unit import UnitOfWork

_CLOSE_TIMEOUT = 2.0


@dataclass(frozen=True)
class Agent:
    """What the engine runs: a function that fills units of work from the batches of its sources."""

    name: str
    """Part of the transactional ids: never change it on a running system."""
    fill: Callable[["UnitOfWork"], None]
    changelogs: dict[str, str]
    """Changelog topic by source topic. No other agent or source may write it."""
    tables: Sequence[AnyTable]


class State(StrEnum):
    ACQUIRING = "acquiring"
    RESTORING = "restoring"
    RESTORED = "restored"
    READY = "ready"
    RELEASED = "released"


@dataclass
class Restore:
    """How far a restore is, in changelog records."""

    done: int = 0
    total: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before there is one."""
        if not self.done:
            return None
        return (time.monotonic() - self.started) / self.done * (self.total - self.done)


class Owner:
    """Owns the source partition ``tp`` for ``agent``.

    ``epoch`` counts assignments: a batch drained under an earlier one is dropped. ``inflight``
    says that a batch was drained and is not committed yet; then the partition is not polled.
    """

    def __init__(
        self, agent: Agent, tp: TopicPartition, group: str, engine: Engine, observer: Observer
    ) -> None:
        self.agent = agent
        self.tp = tp
        self.group = group
        self.engine = engine
        self.observer = observer
        self.changelog = TopicPartition(agent.changelogs[tp.topic], tp.partition)
        self.transactional_id = transactional_id(group, agent.name, tp)
        self.state = State.ACQUIRING
        self.restore = Restore()
        self.epoch = 0
        self.position = 0
        self.digest = ""
        self.topic_id = ""
        self.inflight_since: float | None = None
        self._moved_at = time.monotonic()
        self.unit: UnitOfWork | None = None
        self.fenced = 0
        """How often the producer was fenced since the last commit."""
        self.producer: Producer
        self.store: Store
        self.slices: dict[AnyTable, Slice[Any, Any]] = {}
        self.task: asyncio.Task[None] | None = None

    @property
    def pollable(self) -> bool:
        """Read on the consumer's thread."""
        return self.state is State.READY and self.inflight_since is None

    @property
    def rested(self) -> float:
        """Seconds since the last unit became durable."""
        return time.monotonic() - self._moved_at

    @property
    def released(self) -> bool:
        return self.state is State.RELEASED

    async def start_producer(self) -> None:
        """Start the producer; its InitProducerId fences a former owner and ends what it left open."""
        self.producer = Producer(
            self.engine.kafka,
            self.transactional_id,
            transaction_timeout=self.engine.transaction_timeout,
            request_timeout=self.engine.request_timeout,
        )
        await self.producer.start()

    def open_store(self, root: Path, cluster: str) -> None:
        folder = root / f"{self.changelog.topic}-{self.changelog.partition}"
        self.store = Store(folder, cluster, self.changelog.topic, self.changelog.partition)
        self.slices = {table: Slice(table, self.store) for table in self.agent.tables}

    def drained(self) -> None:
        """A batch was drained; called on the consumer's thread in the same step."""
        self.inflight_since = time.monotonic()

    def moved(self, position: int, digest: str) -> None:
        """A unit is durable: what comes next starts at ``position``."""
        self.position = position
        self.digest = digest
        self.fenced = 0
        self._moved_at = time.monotonic()
        self.inflight_since = None

    async def release(self) -> None:
        """Let go of the partition: stop what runs, close producer and store."""
        self.state = State.RELEASED
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
        try:
            if hasattr(self, "producer"):
                with suppress(TimeoutError, KafkaError):
                    await asyncio.wait_for(self.producer.stop(), _CLOSE_TIMEOUT)
        finally:
            if hasattr(self, "store"):
                self.store.close()


def transactional_id(group: str, agent: str, tp: TopicPartition) -> str:
    """A contract: only a worker that owns ``tp`` uses this id, so its successor fences it."""
    return f"{group}-{agent}-{tp.topic}-{tp.partition}"
