"""Faulty: an installation in whose workers something goes wrong by itself."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from streams.audit import Report
from streams.in_flight import wait_until_processed
from streams.local_kafka import free_port
from streams.local_worker import LocalWorker
from streams.play import play
from streams.settings import Settings
from streams.simulate import Simulation
from streams.topics import create
from tests.chaos.cluster import LOUD
from tests.chaos.patients import FIRST, Patients
from tests.chaos.people import People, at_work
from tests.chaos.scenario import judge, records
from tests.group import Group
from tests.kafka import BOUND

SEED = 38226
COMMAND = (sys.executable, "-m", "tests.chaos.worker")


class Faulty(Group):
    """Workers with the faults of ``tests.chaos.worker``, records of ``patients`` for ten days, and people."""

    people: People

    def __init__(self, settings: Settings, folder: Path, patients: int) -> None:
        # The least session that a broker allows by default, and small batches: they make many commits.
        changed = {"session_timeout": 6.0, "heartbeat": 1.0, "max_poll_records": 50}
        super().__init__(settings.model_copy(update=changed | LOUD))
        self.simulation = Simulation(patients, days=10, seed=SEED, people=True, first_patient=FIRST)
        self.patients = Patients()
        self._played = 0
        self.workers: list[LocalWorker] = []
        self._records = self.patients.through(records(self.simulation))
        self._folder = folder

    async def play(self, count: int | None = None) -> None:
        """Play the next ``count`` records, or all that are left; people deal with what was written before."""
        self._played += await play(self.settings, islice(self._records, count))
        await self.people.finish()

    @property
    def sent(self) -> int:
        """Records of sources, of people and of billing."""
        return self._played + self.people.sent

    def start(self, *faults: str, machine: int = 0, **changed: Any) -> LocalWorker:
        """Start a worker on a machine with stores of its own, with other settings if given."""
        own = {"web_port": free_port(), "data_dir": self._folder / f"machine-{machine}"}
        settings = self.settings.model_copy(update=own | changed)
        worker = LocalWorker(settings, self._folder / f"worker-{len(self.workers)}.log", (*COMMAND, *faults))
        worker.start()
        self.workers.append(worker)
        return worker

    async def ready(self, *faults: str, machine: int = 0) -> LocalWorker:
        """Start a worker and wait until it has its partitions."""
        worker = self.start(*faults, machine=machine)
        await asyncio.to_thread(worker.wait_ready)
        return worker

    async def ended(self, worker: LocalWorker) -> int:
        """Wait until ``worker`` ends by itself, and take it out of the group; its exit code."""
        code = await asyncio.to_thread(worker.process.wait, BOUND)
        await self.bury()
        return code

    async def processed(self) -> None:
        await wait_until_processed(self.settings, seconds=BOUND)

    async def end(self, workers: int = 1) -> Report:
        """All is processed, so many workers still run and stop, and what was written is judged."""
        await self.processed()
        while await self.people.finish():
            await self.processed()
        assert self.stop() == [0] * workers
        named = self.patients.named_in("".join(worker.log.read_text() for worker in self.workers))
        expected = self.simulation.expected | self.people.expected
        return await judge(self.settings, expected, self.sent, named)

    def stop(self) -> list[int]:
        """SIGTERM for every worker that runs; their exit codes."""
        return [worker.process.stop() for worker in self.workers if worker.process.exit_code is None]


@asynccontextmanager
async def installed(settings: Settings, folder: Path, *, patients: int) -> AsyncIterator[Faulty]:
    """The topics are there and no worker runs yet; in the end none is left."""
    await create(settings)
    faulty = Faulty(settings, folder, patients)
    try:
        async with at_work(faulty.settings, Random(SEED)) as faulty.people:
            yield faulty
    finally:
        for worker in faulty.workers:
            worker.process.kill()
