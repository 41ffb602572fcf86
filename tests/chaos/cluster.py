"""Cluster: several workers of one installation, what can be done to them, and who starts them again."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from streams.local_kafka import free_port
from streams.local_worker import WORKER, LocalWorker
from streams.once.failure import EXIT_FAILED
from streams.settings import Settings
from streams.views.overview import Overview
from streams.views.state import Partition
from tests.chaos.stalls import Harm
from tests.integration.counting import stands_still, until
from tests.opened import bearer

CRASHED = (EXIT_FAILED, -signal.SIGKILL)
"""Exits after which a worker is started again, as systemd or compose is told to."""
RECOVERED_WITHIN = 120.0
LOOK_EVERY = 0.05
LOUD = {"log_level": "debug", "log_format": "json"}
"""What a worker is to log: as much as it can, in lines that need not be taken apart."""
_decode_overview = msgspec.json.Decoder(Overview).decode


def nothing() -> None: ...


def generations(worker: LocalWorker) -> list[int]:
    """Of the group, as ``worker`` heard of them."""
    return [line["generation"] for line in logged(worker, "rebalanced")]


def logged(worker: LocalWorker, event: str) -> list[dict[str, Any]]:
    """What ``worker`` logged of ``event``, in order."""
    lines = worker.log.read_text(errors="replace").splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in told if line.get("event") == event]


def last_words(worker: LocalWorker) -> str:
    """Why ``worker`` ended."""
    line = worker.last_line()
    return str(json.loads(line)["event"]) if line.startswith("{") else line


class Cluster:
    """``count`` workers, each with a web port and a log of its own in ``folder``, and one data folder.

    A worker that crashes is started again at once; one that was stopped, or refuses to go on, is not.
    Use it from the main thread: a worker dies with the thread that started it.
    """

    def __init__(self, settings: Settings, folder: Path, count: int, command: Sequence[str] = WORKER) -> None:
        self.settings = settings
        self.harms: list[Harm] = []
        self.kills = 0
        self.recoveries: list[float] = []
        """Seconds from the end of a worker until it was ready again."""
        self.crashes: list[str] = []
        """Last words of workers that crashed by themselves."""
        self.refusals: list[str] = []
        """Last words of workers that refused to go on."""
        self.workers = [
            LocalWorker(
                settings.model_copy(update={"web_port": free_port(), **LOUD}),
                folder / f"worker-{number}.log",
                command,
            )
            for number in range(count)
        ]
        self._down: dict[LocalWorker, float] = {}
        """Since when a worker is not ready that should be."""
        self._supervisors: list[asyncio.Task[None]] = []

    def launch(self) -> None:
        """Start all of them, after they were stopped or refused."""
        for worker in self.workers:
            worker.start()
        self._supervisors = [asyncio.create_task(self._supervise(worker)) for worker in self.workers]

    async def start(self) -> None:
        """Start all of them and wait until they are ready."""
        self.launch()
        await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in self.workers))

    async def kill(self, worker: LocalWorker, meanwhile: Callable[[], None] = nothing) -> None:
        """kill -9, and a start after ``meanwhile``; ``recovered`` waits until it is back."""
        await self._harm(worker)
        self.kills += 1
        worker.process.kill()
        self._start_again(worker, meanwhile)

    async def restart(self, worker: LocalWorker, meanwhile: Callable[[], None] = nothing) -> int:
        """SIGTERM, and a start after ``meanwhile``; its exit code. ``recovered`` waits until it is back."""
        await self._harm(worker)
        code = await asyncio.to_thread(worker.process.stop)
        if code == 0:
            self._start_again(worker, meanwhile)
        return code

    async def freeze(self, worker: LocalWorker) -> None:
        """It stands still, as in a long pause of its machine, until ``thaw``.

        At which step it does so is up to its ``command``: see ``tests.chaos.worker.Frozen``.
        """
        owned = await self._owned(worker)
        worker.process.signal(signal.SIGHUP)
        await stands_still(worker)
        self.harms.append(Harm(time.monotonic(), owned))

    def thaw(self, worker: LocalWorker) -> None:
        worker.process.signal(signal.SIGCONT)

    async def recovered(self) -> None:
        """Every worker that was down is ready again."""
        await until(lambda: not self._down, RECOVERED_WITHIN)

    def stop(self) -> list[int]:
        """SIGTERM for all; their exit codes."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        self._down.clear()
        return [worker.process.stop() for worker in self.workers]

    @property
    def generations(self) -> int:
        """How many generations the group had: one more than there were rebalances."""
        return max(number for worker in self.workers for number in generations(worker))

    @property
    def said(self) -> str:
        """What all of them logged."""
        return "".join(worker.log.read_text() for worker in self.workers)

    async def partitions(self, worker: LocalWorker) -> list[Partition]:
        """What it owns, as its page says; nothing while it has none."""

        def read() -> list[Partition]:
            page = Request(worker.url, headers={"Accept": "application/json", **bearer()})
            try:
                with urlopen(page, timeout=10) as answer:
                    told = _decode_overview(answer.read()).partitions
                    return [partition for partition in told if partition.worker == worker.url]
            except OSError:
                return []

        return await asyncio.to_thread(read)

    async def owner_of(self, partition: int) -> LocalWorker:
        """The worker that owns this partition of the ledger."""
        owned = {worker: await self._owned(worker) for worker in self.workers}
        return next(worker for worker, partitions in owned.items() if partition in partitions)

    async def _harm(self, worker: LocalWorker) -> None:
        owned = await self._owned(worker)
        self.harms.append(Harm(time.monotonic(), owned))

    async def _owned(self, worker: LocalWorker) -> frozenset[int]:
        """The ledger's partitions that it owns."""
        owned = await self.partitions(worker)
        return frozenset(partition.partition for partition in owned if partition.agent == "ledger")

    def _start_again(self, worker: LocalWorker, meanwhile: Callable[[], None] = nothing) -> None:
        self._down.setdefault(worker, time.monotonic())
        meanwhile()
        worker.start()

    async def _supervise(self, worker: LocalWorker) -> None:
        while True:
            code = worker.process.exit_code
            if code is None:
                if worker in self._down and await asyncio.to_thread(worker.ready):
                    self.recoveries.append(time.monotonic() - self._down.pop(worker))
            elif code in CRASHED:
                if code == EXIT_FAILED:
                    self.crashes.append(last_words(worker))
                self._start_again(worker)
            elif code != 0:
                self.refusals.append(last_words(worker))
                self._down.pop(worker, None)
                return
            await asyncio.sleep(LOOK_EVERY)
