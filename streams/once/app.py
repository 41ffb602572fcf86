"""OnceApp: a Faust App whose agents process every source record exactly once."""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.app import BootStrategy
from faust.types import StreamT
from yarl import URL

from streams.once.batch import Batch
from streams.once.consumer import Transport
from streams.once.engine import Engine
from streams.once.failure import EXIT_REFUSED, Fault, Refused, die, die_of, where
from streams.once.observer import Observer, Silent, Step
from streams.once.owner import Agent, Owner, State
from streams.once.owners import Owners
from streams.once.producer import FENCED
from streams.once.table import AnyTable, Codec, Table
from streams.once.unit import UnitOfWork
from streams.once.web import Web
from streams.once.worker import Worker

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")
_FILES = 80
"""Open files of one owned partition at most: 64 of its store, connections of its producer."""


class _Boot(BootStrategy):
    """Faust's own producer is not started: everything leaves through an owner's transaction."""

    enable_kafka_producer = False


class OnceApp(faust.App):
    """Keeps Faust's App, agents, topics, assignor, worker, web and sensors; replaces what is under them.

    ``checks`` run before anything else at start; a ``Refused`` from one ends the process with its line.
    """

    BootStrategy = _Boot
    tables: Owners

    def __init__(
        self,
        app_id: str,
        engine: Engine,
        *,
        observer: Observer | None = None,
        checks: Sequence[Callable[[], Awaitable[None]]] = (),
        **conf: Any,
    ) -> None:
        self.engine = engine
        self.filling = asyncio.Lock()
        self.observer: Observer = observer or Silent()
        self._checks = checks
        brokers = engine.kafka["bootstrap_servers"]
        urls = [
            URL(f"kafka://{b.strip()}") for b in (brokers.split(",") if isinstance(brokers, str) else brokers)
        ]
        super().__init__(
            app_id,
            broker=urls,
            store="memory://",
            TableManager=Owners,
            Worker=Worker,
            table_standby_replicas=0,
            topic_partitions=engine.partitions,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=True,
            broker_session_timeout=engine.session_timeout,
            broker_heartbeat_interval=engine.heartbeat,
            worker_redirect_stdouts=False,
            **conf,
        )
        self.transport = Transport(urls, self)
        self.producer_transport = self.transport

    def once_table(self, name: str, codec: Codec[K, V]) -> Table[K, V]:
        """Declare a table; an agent takes it by naming it among its ``tables``."""
        table = Table(name, codec, lambda table: self.tables.slices(table))
        self.tables[name] = cast(Any, table)
        return table

    def once_agent(
        self,
        name: str,
        fill: Callable[[UnitOfWork], None],
        *,
        changelogs: Mapping[str, str],
        tables: Sequence[AnyTable],
    ) -> Agent:
        """Run ``fill`` on every batch of the source topics that ``changelogs`` maps to their changelogs."""
        agent = Agent(name, fill, dict(changelogs), tables)
        taken = self.tables.changelog_topics & set(agent.changelogs.values())
        if taken or len(set(agent.changelogs.values())) < len(agent.changelogs):
            raise ValueError(
                f"agent {name}: a changelog of its own for every source topic, {sorted(taken)} is shared"
            )
        for source in agent.changelogs:
            if source in self.tables.agents:
                raise ValueError(f"agent {name}: {source} is read by {self.tables.agents[source].name}")
            self.tables.agents[source] = agent
        topic = self.topic(
            *agent.changelogs,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            acks=False,
        )
        self.agent(topic, name=name, concurrency=self.engine.lanes)(_lane(self))
        return agent

    def _new_web(self) -> Any:
        return Web(self)

    def _on_rebalance_when_stopped(self) -> None:
        """Faust would cut the consumer off here; it leaves the group when it stops, a moment later."""

    def on_rebalance_return(self) -> None:
        """Told after the rebalance has ended here, where Faust would miss the state it began with."""

    def _crash(self, reason: BaseException) -> None:
        """What crashes the app or a service of it ends the process: nothing here is to be restarted half."""
        die(f"Faust crashed: {where(reason)}")

    def _create_directories(self) -> None:
        """Faust's own stores are not used; a slot makes the folders of ours."""

    async def on_first_start(self) -> None:
        try:
            for check in self._checks:
                await check()
        except Refused as refusal:
            die(str(refusal), code=EXIT_REFUSED)
        except Fault as fault:
            die(str(fault))
        await super().on_first_start()

    async def on_start(self) -> None:
        _allow_open_files(self.engine.partitions * len(self.tables.agents) * _FILES)
        await super().on_start()
        if self.conf.table_standby_replicas != 0 or self.assignor is None:
            die("Faust's own assignor without standbys is required", code=EXIT_REFUSED)


def _allow_open_files(needed: int) -> None:
    """Raise the soft limit as far as this worker may need it with every partition on its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < needed:
        log.warning("may need more open files than ulimit -n", extra={"needed": needed, "limit": hard})


def _lane(app: OnceApp) -> Callable[[StreamT[Any]], Awaitable[None]]:
    async def lane(stream: StreamT[Any]) -> None:
        async for batch in stream:
            await process(app, cast(Batch, batch))

    return lane


async def process(app: OnceApp, batch: Batch) -> None:
    """Deal with a batch of the owner's present epoch; one of a former epoch is dropped."""
    owner = batch.owner
    if batch.epoch != owner.epoch or owner.state is not State.READY:
        return
    if batch.start != owner.position:
        die(f"{_name(batch.tp)}: a batch begins at {batch.start}, but {owner.position} comes next")
    await _work(app, owner, batch)
    _wake(app)


async def _work(app: OnceApp, owner: Owner, batch: Batch) -> None:
    """The engine's outermost frame: nothing that a unit raises reaches Faust.

    Faust would restart the agent and take what failed for done. A batch without records is committed,
    too: else retention could delete its markers behind the committed offset, as if records were lost.
    """
    tp = batch.tp
    unit = UnitOfWork(owner, batch)
    owner.unit = unit
    try:
        await _fill_and_commit(app, unit)
    except Refused as refusal:
        die(f"{_name(tp)}: {refusal}", code=EXIT_REFUSED)
    except Fault as fault:
        die(f"{_failed(owner, unit)} {fault}")
    except TimeoutError:
        die(f"{_failed(owner, unit)} not done within {app.engine.unit_deadline:.0f} s")
    except KafkaError as error:
        names = {"source": tp.topic, "transactional_id": owner.transactional_id}
        die_of(_failed(owner, unit), error, topic="Write", **names)
    except BaseException as error:
        if unit.reached is Step.FILL and isinstance(error, asyncio.CancelledError):
            raise
        die(f"{_failed(owner, unit)} {where(error)}")
    finally:
        owner.unit = None
        unit.ended.set()
        app.tables.watch.worked()


async def _fill_and_commit(app: OnceApp, unit: UnitOfWork) -> None:
    # One at a time: else the round trips of a commit would wait for every lane's filling.
    async with app.filling:
        await unit.fill()
    if unit.stale:
        return
    try:
        await unit.commit()
    except FENCED as error:
        await app.tables.fenced(unit.owner, error)


def _wake(app: OnceApp) -> None:
    cast(Any, app.consumer).thread.wake()


def _name(tp: TopicPartition) -> str:
    return f"{tp.topic}[{tp.partition}]"


def _failed(owner: Owner, unit: UnitOfWork) -> str:
    step = f"{unit.reached.value} ({unit.reached.name.lower()})"
    return f"{_name(owner.tp)}: {owner.agent.name} failed in step {step}:"
