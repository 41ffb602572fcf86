"""Overview: whether Perdiem runs, what went through it, how far behind it is."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from models.reconciliation import Line, add
from models.tally import CHARGE, CREDIT, IN
from streams.once.owner import State
from streams.pace import BIN, BINS, Bin, quantile
from streams.views.fresh import Fresh
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site, event
from streams.views.state import Now, Partition, Running, Worker
from streams.views.tallied import Days, Tallied
from streams.views.workers import Missing

DAYS = 14
"""Before today."""
_FRESH = 1.0
"""Seconds for which what was found is shown to whoever else looks."""
_EVERY = 2.0
"""Seconds between two looks of a page that stays open."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether it runs: ``state`` is a word for programs, ``said`` the reason for people."""

    state: str
    said: str


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What came in on one day (UTC), and what was decided on it.

    An outcome that changed is taken from the count of the day on which it changed.
    """

    day: date
    came_in: int
    outcomes: dict[str, int]
    charges: int
    credits: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """``BIN`` seconds of the last hour. Times are milliseconds, None where nothing was done."""

    at: int
    """Seconds since the epoch."""
    events: float
    """Entries that the ledger dealt with, a second."""
    commit: float | None
    """To fill and commit a unit of work."""
    waited: int | None
    waited_p99: int | None
    """From a record's own time to its commit, by the ledger: half of them, and 99 of 100, within it."""


class Owning(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, and how many partitions of each agent it owns."""

    url: str
    state: str
    agents: dict[str, int]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The whole installation, as any of its workers tells it."""

    verdict: Verdict
    days: list[Day]
    """Today and the ``DAYS`` before it, the oldest first."""
    last_hour: list[Moment]
    workers: list[Owning]
    partitions: list[Partition]
    missing: list[Missing]
    """Partitions that are not told of."""

    @property
    def outcomes_by_day(self) -> list[dict[str, int]]:
        return [day.outcomes for day in self.days]

    @property
    def total(self) -> Line:
        """Of all these days."""
        beside = [{IN: day.came_in, CHARGE: day.charges, CREDIT: day.credits} for day in self.days]
        return Line(add([*self.outcomes_by_day, *beside]))


class Overviews:
    """Makes overviews."""

    def __init__(self, site: Site, running: Running, tallied: Tallied) -> None:
        self._site = site
        self._running = running
        self._tallied = tallied

    async def make(self) -> Overview:
        """Asks all workers."""
        today = datetime.now(UTC).date()
        first = today - timedelta(DAYS)
        workers = self._site.workers
        running, counted = await asyncio.gather(
            workers.ask(self._running.question, Now()),
            workers.ask(self._tallied.by_day, Days(first, today)),
        )
        partitions = sorted(
            (each for worker in running.found for each in worker.partitions),
            key=lambda each: (each.agent, each.topic, each.partition),
        )
        return Overview(
            verdict=verdict(running.found, partitions, running.missing),
            days=_days(counted.found, first, today),
            last_hour=_last_hour([each for worker in running.found for each in worker.bins]),
            workers=[_owning(worker) for worker in running.found],
            partitions=partitions,
            missing=sorted({*running.missing, *counted.missing}),
        )


def verdict(workers: Iterable[Worker], partitions: list[Partition], missing: list[Missing]) -> Verdict:
    """The worst that is true of any part, for that is what somebody must look at."""
    if any(not worker.in_touch for worker in workers):
        return Verdict("cut_off", "cut off: Kafka does not answer")
    stalled = [each for each in partitions if each.stalled]
    if stalled:
        worst = max(stalled, key=lambda each: each.rested)
        return Verdict(
            "stalled",
            f"stalled: {worst.topic}[{worst.partition}] has records waiting and committed nothing "
            f"for {worst.rested:.0f} s",
        )
    restoring = [each for each in partitions if each.state in (State.ACQUIRING, State.RESTORING)]
    if restoring:
        left = max((each.seconds_left for each in restoring if each.seconds_left is not None), default=None)
        when = "" if left is None else f", about {left:.0f} s left"
        return Verdict("restoring", f"restoring {len(restoring)} of {len(partitions)} partitions{when}")
    if any(worker.rebalancing for worker in workers) or any(each.state != State.READY for each in partitions):
        return Verdict("rebalancing", "rebalancing: partitions move between workers")
    if missing:
        return Verdict(
            "incomplete", f"incomplete: {len(missing)} partitions are not told of, {missing[0].why}"
        )
    return Verdict("running", "running") if partitions else Verdict("idle", "without partitions")


def _owning(worker: Worker) -> Owning:
    state = "rebalancing" if worker.rebalancing else "running" if worker.in_touch else "cut off"
    owned = Counter(each.agent for each in worker.partitions)
    return Owning(url=worker.url, state=state, agents={agent: owned[agent] for agent in sorted(owned)})


def _days(found: Iterable[Mapping[date, Mapping[str, int]]], first: date, last: date) -> list[Day]:
    found = [*found]
    days = []
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        line = Line(add(each[day] for each in found if day in each))
        days.append(
            Day(
                day=day,
                came_in=line.came_in,
                outcomes=line.outcomes,
                charges=line.charges,
                credits=line.credits,
            )
        )
    return days


def _last_hour(bins: Iterable[Bin]) -> list[Moment]:
    by_time: dict[int, list[Bin]] = {}
    for each in bins:
        by_time.setdefault(each.at, []).append(each)
    now = int(time.time()) // BIN * BIN
    return [_moment(at, by_time.get(at, [])) for at in range(now - BIN * (BINS - 1), now + 1, BIN)]


def _moment(at: int, bins: list[Bin]) -> Moment:
    waited: Counter[int] = sum((Counter(each.waited.get("ledger", {})) for each in bins), Counter())
    commits = sum(each.commits for each in bins)
    return Moment(
        at=at,
        events=sum(each.records.get("ledger", 0) for each in bins) / BIN,
        commit=1000 * sum(each.commit_seconds for each in bins) / commits if commits else None,
        waited=quantile(waited, 0.5),
        waited_p99=quantile(waited, 0.99),
    )


def mount(site: Site, running: Running, tallied: Tallied) -> None:
    """Add ``/`` and what keeps it up to date."""
    overviews = Fresh(Overviews(site, running, tallied).make, _FRESH)
    site.workers.add(running.question)
    tallied.add_to(site.workers)

    async def renewal() -> bytes:
        overview = await overviews.get()
        async with site.turns:
            return event("live.html", overview)

    renewals = Fresh(renewal, _FRESH)

    async def look() -> None:
        running.look()

    site.app.timer(interval=1.0)(look)

    @site.page("/", Right.WATCH, "overview.html")
    async def overview(asked: Asked) -> Shown:
        """The state of the whole installation, without patient data."""
        return await overviews.get()

    @site.page("/live", Right.WATCH, "overview.html")
    async def live(asked: Asked) -> Shown:
        """The overview again and again, as server-sent events."""
        return await site.stream(asked, renewals.get, every=_EVERY)
