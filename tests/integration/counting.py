"""Counting: workers of the counter app, what is sent to them, and whether all of it was counted once."""

import asyncio
import json
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
from aiokafka.admin import NewTopic

from streams.brokers import Brokers
from streams.local_kafka import free_port
from streams.local_worker import LocalWorker
from streams.settings import Settings
from tests.group import Group
from tests.integration.counter import BETWEEN_LOG, OUT, SOURCE, SOURCE_LOG
from tests.kafka import BOUND, Sent, produce, read_all, wait_for

COMMAND = (sys.executable, "-m", "tests.integration.counter")
KEYS = 7
LOAD = 30
"""Records sent at a time, about ten times a second."""
ENDED = 30.0
"""Seconds within which a worker that must end has ended."""

Counts = dict[str, list[str]]
"""By key, what was said of it, in order."""


class Counting(Group):
    """An installation of the counter app."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings)
        self.sent: Counter[str] = Counter()
        self.workers: list[LocalWorker] = []
        self._folder = folder

    def topic(self, name: str) -> str:
        return self.settings.topic_prefix + name

    async def create_topics(self, *names: str) -> None:
        new = [
            NewTopic(
                self.topic(name),
                self.settings.partitions,
                1,
                topic_configs={"cleanup.policy": "compact"} if name in (SOURCE_LOG, BETWEEN_LOG) else {},
            )
            for name in names
        ]
        async with Brokers.connected(self.settings) as brokers:
            await brokers.create(new)

    def start(self, *fault: str, **changed: Any) -> LocalWorker:
        """Start a worker, with a fault of ``counter.main`` and settings of its own if given."""
        settings = self.settings.model_copy(update={"web_port": free_port()} | changed)
        worker = LocalWorker(settings, self._folder / f"worker-{len(self.workers)}.log", (*COMMAND, *fault))
        worker.start()
        self.workers.append(worker)
        return worker

    async def ready(self, *fault: str, **changed: Any) -> LocalWorker:
        """Start a worker and wait until it has its partitions."""
        worker = self.start(*fault, **changed)
        await asyncio.to_thread(worker.wait_ready)
        return worker

    async def ended(self, worker: LocalWorker) -> int:
        """Wait until ``worker`` has ended; its exit code."""
        return await asyncio.to_thread(worker.process.wait, ENDED)

    def stop(self) -> list[int]:
        """SIGTERM for every worker that runs; their exit codes."""
        return [worker.process.stop() for worker in self.workers if worker.process.exit_code is None]

    async def send(self, count: int) -> None:
        """``count`` records, their keys in turn."""
        keys = [f"k{number % KEYS}" for number in range(count)]
        await produce(self.settings, [Sent(self.topic(SOURCE), b"", key.encode()) for key in keys])
        self.sent.update(keys)

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Records keep coming meanwhile."""
        over = False

        async def go_on() -> None:
            while not over:
                await self.send(LOAD)
                await asyncio.sleep(0.1)

        task = asyncio.create_task(go_on())
        try:
            yield
        finally:
            over = True
            await task

    async def counted(self) -> Counts:
        """What ``out`` says now, by key."""
        counts: Counts = defaultdict(list)
        for record in await read_all(self.settings, self.topic(OUT)):
            counts[record.key.decode()].append(record.value.decode())
        return dict(counts)

    async def all_counted(self) -> None:
        """Wait until as many counts are said as records were sent."""
        await wait_for(self.settings, self.topic(OUT), self.sent.total())

    async def exact(self) -> bool:
        """Wait until all is counted, stop the workers, and see whether each record was counted once."""
        await self.all_counted()
        assert {*self.stop()} == {0}
        return await self.counted() == self.expected()

    def expected(self, already: int = 0) -> Counts:
        """What each record counted once looks like; ``already`` of each key were said before."""
        return {
            key: [f"{count} {count}" for count in range(already + 1, total + 1)]
            for key, total in self.sent.items()
        }

    async def state(self, worker: LocalWorker) -> dict[str, dict[str, int]]:
        """The tables of ``worker``, as its page shows them."""

        def read() -> Any:
            with urlopen(f"{worker.url}/counts", timeout=5) as answer:
                return json.load(answer)

        found: dict[str, dict[str, int]] = await asyncio.to_thread(read)
        return found


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = BOUND) -> None:
    """Wait for what nobody tells of: ask ten times a second."""
    async with asyncio.timeout(seconds):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.1)


async def stands_still(worker: LocalWorker) -> None:
    """Wait until ``worker`` stands still."""
    process = psutil.Process(worker.process.pid)
    await until(lambda: process.status() == psutil.STATUS_STOPPED)


def told(worker: LocalWorker, what: str) -> list[dict[str, Any]]:
    """What ``worker`` told of ``what``, in order."""
    lines = worker.log.read_text().splitlines()
    facts = [json.loads(line) for line in lines if line.startswith("{")]
    return [fact for fact in facts if what in fact]


def last_words(worker: LocalWorker) -> list[str]:
    """The lines that ``worker`` ended with."""
    return [line for line in worker.log.read_text().splitlines() if line.startswith("perdiem: ")]
