"""Cluster: several workers of one installation, and what can be done to them."""

import asyncio
import re
import signal
import time
from pathlib import Path

from streams.local_kafka import free_port
from streams.local_worker import LocalWorker
from streams.settings import Settings

_GENERATION = re.compile(r"Generation (\d+):")


class Cluster:
    """``count`` workers, each with a web port and a log of its own in ``folder``, and one data folder.

    Use it from the main thread: a worker dies with the thread that started it.
    """

    def __init__(self, settings: Settings, folder: Path, count: int) -> None:
        self.settings = settings
        self.recoveries: list[float] = []
        """Seconds from a kill until the restarted worker was ready."""
        self.workers = [
            LocalWorker(
                settings.model_copy(update={"web_port": free_port()}), folder / f"worker-{number}.log"
            )
            for number in range(count)
        ]
        self._recovering: dict[LocalWorker, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start all of them and wait until they are ready."""
        for worker in self.workers:
            worker.start()
        await asyncio.gather(*(asyncio.to_thread(worker.wait_ready) for worker in self.workers))

    def kill(self, worker: LocalWorker) -> None:
        """kill -9, and a start at once; ``recovered`` waits for it."""
        killed = time.monotonic()
        if worker in self._recovering:
            self._recovering[worker].cancel()
        worker.process.kill()
        worker.start()
        self._recovering[worker] = asyncio.create_task(self._recover(worker, killed))

    async def recovered(self) -> None:
        """Every worker that was killed is ready again. Raises LocalWorkerError if one is not."""
        await asyncio.gather(*self._recovering.values())

    def freeze(self, worker: LocalWorker) -> None:
        """It stands still, as in a long pause of its machine, until ``thaw``."""
        worker.process.signal(signal.SIGSTOP)

    def thaw(self, worker: LocalWorker) -> None:
        worker.process.signal(signal.SIGCONT)

    def ended(self) -> list[str]:
        """The last words of the workers that do not run, though nobody ended them."""
        return [worker.last_line() for worker in self.workers if worker.process.exit_code is not None]

    def stop(self) -> list[int]:
        """SIGTERM for all; their exit codes."""
        return [worker.process.stop() for worker in self.workers]

    @property
    def generations(self) -> int:
        """How many generations the group had: one more than there were rebalances."""
        said = (worker.log.read_text(errors="replace") for worker in self.workers)
        return max(int(number) for text in said for number in _GENERATION.findall(text))

    async def _recover(self, worker: LocalWorker, killed: float) -> None:
        await asyncio.to_thread(worker.wait_ready)
        self.recoveries.append(time.monotonic() - killed)
