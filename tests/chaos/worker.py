"""A worker of the whole pipeline in which something goes wrong.

Settings come from the environment; an argument is the name of a fault and what it needs, separated by
colons. What is broken is broken from outside: through the observer, or by replacing a part of the engine.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator

from models.posting import post
from models.procedures import ProcedureEvent
from streams import ledger
from streams.app import run_worker
from streams.once import Observer, OnceApp, Silent, Step, UnitOfWork, owner, owners
from streams.once import app as engine
from streams.once.batch import Batch
from streams.once.consumer import ConsumerThread
from streams.once.producer import Producer
from streams.once.restore import Job
from streams.once.resume import Offsets
from streams.settings import Settings
from tests.held import hold_restores

LATER = 0.001
"""Seconds: what a step sent is on its way then, and its answer is not here; a commit takes 5 ms or more."""


class Crash(Silent):
    """kill -9 of the process as units of ``agent`` take ``step`` for the ``nth`` time: before, or after."""

    def __init__(self, agent: str, step: str, when: str, nth: str) -> None:
        self._at = (agent, Step[step])
        self._later = when == "after"
        self._left = int(nth)

    def step(self, unit: UnitOfWork, step: Step) -> None:
        if (unit.owner.agent.name, step) != self._at:
            return
        self._left -= 1
        if self._left == 0 and self._later:
            asyncio.get_running_loop().call_later(LATER, _kill)
        elif self._left == 0:
            _kill()


class Frozen(Silent):
    """SIGSTOP as a unit of the ledger, the only one under way, is about to take ``step``: once, when told.

    At once, or by SIGHUP. Thawed, the worker joins its group again only when that unit has ended: whether it
    hears of the group or of its transaction first is not left to chance.
    """

    def __init__(self, step: str, when: str) -> None:
        self._step = Step[step]
        self._told = when == "at-once"
        self._under_way: list[UnitOfWork] = []
        self._frozen: UnitOfWork | None = None
        signal.signal(signal.SIGHUP, self._tell)
        prepare = GroupCoordinator._on_join_prepare

        async def later(coordinator: GroupCoordinator, *given: Any) -> None:
            while self._frozen and not self._frozen.ended.is_set():  # noqa: ASYNC110 - of another thread
                await asyncio.sleep(0.01)
            await prepare(coordinator, *given)

        GroupCoordinator._on_join_prepare = later

    def step(self, unit: UnitOfWork, step: Step) -> None:
        if step is Step.WRITE:
            self._under_way = [*(other for other in self._under_way if not other.ended.is_set()), unit]
        alone = self._under_way == [unit]
        if self._told and alone and (unit.owner.agent.name, step) == ("ledger", self._step):
            self._told, self._frozen = False, unit
            os.kill(os.getpid(), signal.SIGSTOP)

    def _tell(self, *_: object) -> None:
        self._told = True


class Told(Silent):
    """Prints each batch that is durable, a JSON object a line."""

    def committed(self, unit: UnitOfWork, seconds: float) -> None:
        batch = unit.batch
        told = {
            "batch": batch.tp.topic,
            "partition": batch.tp.partition,
            "start": batch.start,
            "end": batch.end,
        }
        print(json.dumps(told), flush=True)


class Metered(Silent):
    """Prints every so many batches what they have cost so far: seconds of CPU, and resident bytes."""

    def __init__(self, every: str) -> None:
        self._every = int(every)
        self._process = psutil.Process()
        self._batches = 0

    def committed(self, unit: UnitOfWork, seconds: float) -> None:
        self._batches += 1
        if self._batches % self._every == 0:
            cost = {"cpu": time.process_time(), "rss": self._process.memory_info().rss}
            print(json.dumps({"batches": self._batches, **cost}), flush=True)


class StoreFirst(Silent):
    """The first unit of the ledger writes the local store before its commit; then the process is killed."""

    def __init__(self) -> None:
        write = Producer.write

        async def remember(producer: Producer, *given: Any) -> dict[TopicPartition, int]:
            self._written = await write(producer, *given)
            return self._written

        Producer.write = remember  # type: ignore[method-assign,assignment]

    def step(self, unit: UnitOfWork, step: Step) -> None:
        if (unit.owner.agent.name, step) == ("ledger", Step.COMMIT):
            at = self._written[unit.owner.changelog]
            unit.owner.store.apply(unit.changes.items(), (at, "not committed"))
            unit.owner.store.close()
            _kill()


def offset_first() -> None:
    """The first unit of the ledger commits its offset before all else; then the process is killed."""
    commit = UnitOfWork.commit

    async def apart(unit: UnitOfWork) -> None:
        if unit.owner.agent.name != "ledger":
            await commit(unit)
            return
        producer = AIOKafkaProducer(**unit.owner.engine.kafka, transactional_id=str(uuid4()))
        await producer.start()
        await producer.begin_transaction()
        await producer.send_offsets_to_transaction({unit.batch.tp: unit.batch.end}, unit.owner.group)
        await producer.commit_transaction()
        _kill()

    UnitOfWork.commit = apart  # type: ignore[method-assign,assignment]


def trusting() -> None:
    """Believes the local store and the committed offset: neither is compared with the changelog."""
    begin = Job.begin

    def unseen(job: Job) -> None:
        begin(job)
        job.verifying = None

    def committed(tp: TopicPartition, position: Any, offsets: Offsets, partitions: int) -> int:
        return offsets.committed or offsets.beginning

    Job.begin = unseen  # type: ignore[method-assign,assignment]
    owners.resume = committed  # type: ignore[attr-defined]


def unfenced() -> None:
    """No two workers have a transactional id in common: a successor fences nobody."""
    named = owner.transactional_id
    owner.transactional_id = lambda *whose: f"{named(*whose)}-{uuid4()}"


def lost(*, guarded: bool) -> None:
    """The second batch of the ledger is lost on its way through Faust, and nobody seeks back."""
    process, batches = engine.process, 0

    async def losing(app: OnceApp, batch: Batch) -> None:
        nonlocal batches
        batches += batch.owner.agent.name == "ledger"
        if batches == 2 and batch.owner.agent.name == "ledger":
            batch.owner.inflight_since = None
            batches += 1
            return
        if not guarded:
            batch.owner.position = batch.start
        await process(app, batch)

    engine.process = losing


def late_poll(file: str, partitions: str) -> None:
    """What Faust asks of the consumer's thread while ``file`` is there is done when it is gone.

    By then records of so many ``partitions`` have come.
    """
    fetch_records = ConsumerThread._fetch_records

    async def late(thread: ConsumerThread, consumer: Any, *asked: Any, **how: Any) -> Any:
        if os.access(file, os.F_OK):
            print("A poll is late", flush=True)
            while os.access(file, os.F_OK) or len(thread._ahead) < int(partitions):  # noqa: ASYNC110 - neither calls
                await asyncio.sleep(0.05)
        return await fetch_records(thread, consumer, *asked, **how)

    ConsumerThread._fetch_records = late  # type: ignore[method-assign,assignment]


def failing_rule(begin: str) -> None:
    """The rule fails on procedures whose id begins so."""

    def failing(patient: Any, read: Any, entry: Any) -> Any:
        if isinstance(entry, ProcedureEvent) and entry.procedure_id.startswith(begin):
            raise ZeroDivisionError(entry.procedure_id)
        return post(patient, read, entry)

    ledger.post = failing  # type: ignore[attr-defined]


FAULTS: dict[str, Callable[..., Observer | None]] = {
    "crash": Crash,
    "frozen": Frozen,
    "told": Told,
    "metered": Metered,
    "store-first": StoreFirst,
    "offset-first": offset_first,
    "trusting": trusting,
    "unfenced": unfenced,
    "lost": partial(lost, guarded=True),
    "lost-unguarded": partial(lost, guarded=False),
    "held-restore": hold_restores,
    "late-poll": late_poll,
    "failing-rule": failing_rule,
}


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(*faults: str) -> None:
    observer = None
    for fault in faults:
        name, *needs = fault.split(":")
        observer = FAULTS[name](*needs) or observer
    run_worker(Settings.load(), observer=observer)


if __name__ == "__main__":
    main(*sys.argv[1:])
