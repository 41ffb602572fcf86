"""Scenario: workers under load, what is done to them meanwhile, and the judgement of what they wrote.

People have their part in the load: they merge patients, allow second units, decide what is held, and billing
acknowledges every charge.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import median

import msgspec

from streams.audit import Report
from streams.cli.audit import show
from streams.in_flight import wait_until_processed
from streams.local_worker import WORKER
from streams.play import Record, play, read_lines
from streams.reconcile import reconcile_topics
from streams.settings import Settings
from streams.simulate import Simulation
from streams.story import Expected
from streams.topics import create
from tests.chaos.cluster import Cluster
from tests.chaos.patients import FIRST, Patients
from tests.chaos.people import People, at_work
from tests.chaos.stalls import Stalls
from tests.group import Group
from tests.integration.counting import until
from tests.verdict import verdict

RATE = 500
"""Records a second: two cores have time left over, so that a gap in the decisions is a stall."""
PATIENTS, DAYS = 300, 400
"""About 700 records a day of the simulation, and more days than any load lasts."""
PROCESSED_WITHIN = 120.0


class Scenario:
    """Workers, and procedures that keep coming."""

    people: People

    def __init__(
        self, settings: Settings, folder: Path, workers: int, rate: float, command: Sequence[str]
    ) -> None:
        # The least that a broker allows by default: a killed worker keeps its partitions for so long.
        self.settings = settings.model_copy(update={"session_timeout": 6.0, "heartbeat": 1.0})
        self.cluster = Cluster(self.settings, folder, workers, command)
        self.stalls = Stalls(self.cluster.harms)
        seed = int(os.environ.get("PERDIEM_TEST_SEED") or Random().randrange(10**6))
        print(f"\nPERDIEM_TEST_SEED={seed}")
        self.random = Random(seed)
        self.simulation = Simulation(PATIENTS, DAYS, seed, people=True, first_patient=FIRST)
        self.patients = Patients()
        self._played = 0
        self._rate = rate
        self._records = self.patients.through(records(self.simulation))
        self._going_on = False

    async def start(self) -> None:
        """Start the workers and the load."""
        await self.cluster.start()
        self._following = asyncio.create_task(self.stalls.follow(self.settings))
        self.go_on()

    def go_on(self) -> None:
        """The load begins, or begins again."""
        self._going_on = True
        self._playing = asyncio.create_task(play(self.settings, self._load(), self._rate))
        self._working = asyncio.create_task(self._work())

    async def pause(self) -> None:
        """The load ends, and all that came is processed, until people have nothing left to decide."""
        self._going_on = False
        self._played += await self._playing
        await self._working
        await self.processed()
        while await self.people.finish():
            await self.processed()

    async def rest(self) -> None:
        """The load ends, all that came is processed, and the workers stop."""
        await self.pause()
        assert {*self.cluster.stop()} == {0}

    async def refused(self) -> set[str]:
        """Every worker refuses to go on, and none is left in the group: what they say."""
        refusals = self.cluster.refusals
        await until(lambda: len(refusals) == len(self.cluster.workers))
        said = {*refusals}
        refusals.clear()
        await Group(self.settings).bury()
        return said

    async def processed(self) -> None:
        """All that came is processed."""
        await wait_until_processed(self.settings, seconds=PROCESSED_WITHIN)

    async def end(self) -> None:
        """The load ends, and the simulation with it."""
        await self.pause()
        self.simulation.patients = 0  # the days that are left are empty
        self._played += await play(self.settings, self._records)
        await self.processed()
        while await self.people.finish():
            await self.processed()

    def stop(self) -> list[int]:
        """End what still runs; the exit codes of the workers."""
        for task in (self._playing, self._working, self._following):
            task.cancel()
        return self.cluster.stop()

    @property
    def sent(self) -> int:
        """Records of sources, of people and of billing."""
        return self._played + self.people.sent

    @property
    def expected(self) -> set[Expected]:
        """The charges that should stand."""
        return self.simulation.expected | self.people.expected

    async def _work(self) -> None:
        while self._going_on:
            await self.people.work()

    def _load(self) -> Iterator[Record]:
        while self._going_on:
            yield next(self._records)

    def figures(self) -> str:
        """What happened, for a person."""
        cluster, stalls = self.cluster, self.stalls
        times = cluster.recoveries
        lines = [
            f"{len(cluster.workers)} workers, {self._played} events, {cluster.generations} generations",
            f"people: {', '.join(f'{count} {what}' for what, count in self.people.did.most_common())}",
            f"{len(cluster.harms)} times harmed, {cluster.kills} of them by kill -9; "
            f"{len(cluster.crashes)} crashes of their own",
            f"longest stall {stalls.longest(harmed=True):.1f} s of partitions of a harmed worker, "
            f"{stalls.longest(harmed=False):.1f} s of others",
        ]
        if times:
            lines.append(
                f"ready again after {min(times):.1f} to {max(times):.1f} s, median {median(times):.1f}"
            )
        return "\n".join(lines)


@asynccontextmanager
async def under_load(
    settings: Settings,
    folder: Path,
    *,
    workers: int = 2,
    rate: float = RATE,
    command: Sequence[str] = WORKER,
) -> AsyncIterator[Scenario]:
    """Workers under load for as long as the body lasts; then all is processed, stopped and judged."""
    scenario = Scenario(settings, folder, workers, rate, command)
    await create(scenario.settings)
    async with at_work(scenario.settings, scenario.random) as scenario.people:
        try:
            await scenario.start()
            yield scenario
            await scenario.cluster.recovered()
            await scenario.end()
            codes = scenario.stop()
        finally:
            scenario.stop()
    print(scenario.figures())
    named = scenario.patients.named_in(scenario.cluster.said)
    await judge(scenario.settings, scenario.expected, scenario.sent, named)
    assert scenario.cluster.refusals == []
    assert {*codes} == {0}


async def judge(
    settings: Settings, expected: Collection[Expected], sent: int, named: Collection[int]
) -> Report:
    """Four zeros, the charges that were simulated, a decision of each of ``sent`` records, and a balance.

    ``named``: patients that stand in what the workers said.
    """
    assert not named
    report, standing = await verdict(settings)
    show(report)
    reconciliation = await reconcile_topics(settings)
    total = reconciliation.total.told()
    print(f"reconciled: {msgspec.json.encode(total).decode()}")
    assert reconciliation.balances
    assert report.clean
    assert standing == sorted(expected)
    assert report.outcomes.total() == sent
    return report


def records(simulation: Simulation) -> Iterator[Record]:
    """Its records, as a file of them would be played."""
    return read_lines(msgspec.json.encode(record) for record in simulation.records())
