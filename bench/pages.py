"""Pages: what people at the pages of a worker cost the stream, and what each page costs by itself."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from subprocess import TimeoutExpired

import msgspec
from pydantic import SecretStr

from bench.ground import Ground, Input, play_into
from bench.latency import percentile
from bench.load import canonical, messages
from bench.measure import attempt, family, throughput, used
from bench.people import LIVE, SEARCH, SEARCHING, Links, Someone, Told, Visit, routes
from bench.sizes import Sizes
from bench.systems import LEDGER, ROOT, BenchError, Run
from bench.throughput import PARTITIONS
from streams.child import Child
from streams.in_flight import wait_until_processed
from streams.local_worker import LocalWorker, environment
from streams.play import Record
from streams.views.rights import Role
from streams.views.tokens import digest, new

PEOPLE = 20
THINK = 5.0
"""Seconds that somebody reads a page. All of them together so open four a second."""
BESIDE = 2_000
"""Messages for intake in each run, so that something is held and put aside."""
SOUGHT = 1_000
"""Patients that people search for, of the first records: the ledger knows them soon."""
MANY_PARTITIONS = 32
"""What docs/scaling.md asks a large installation to have: pages tell of each."""
ASKED = 40
WATCHED = 10.0
"""Seconds for which overviews are left open, or a worker alone."""
ENDS_WITHIN = 10.0
READY_WITHIN = 120.0


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the ledger under a backlog, with people at its pages or without any.

    Of the people: pages opened and open overviews renewed, a second; the milliseconds that a page took; and
    the part of a core that they used themselves.
    """

    pair: int
    people: int
    rate: float
    """Events a second."""
    cpu: float
    """Microseconds of the worker's CPU time an event."""
    broker_cpu: float
    rss: float
    """MiB at most."""
    pages: float = 0.0
    live: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    people_cpu: float = 0.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One page, of a worker that has nothing else to do."""

    page: str
    partitions: int
    cpu: float
    """Milliseconds of the worker's CPU time."""
    took: float | None
    """Milliseconds until it was there; None of what is renewed by itself."""
    kib: float


async def with_and_without(ground: Ground, sizes: Sizes) -> AsyncIterator[Visited | BenchError]:
    """Pairs of runs, with people and without; each begins with what the one before ended with."""
    records = messages(sizes.page_events)
    canonicals = [*canonical(records)]
    async with ground.input(canonicals, PARTITIONS) as source:
        for pair in range(sizes.page_pairs):
            for people in order(pair):
                yield await attempt(
                    _visited(ground, source, records[:BESIDE], patients(canonicals), pair, people),
                    f"{LEDGER.label}, {people} people",
                )


def order(pair: int) -> tuple[int, int]:
    """How many people are there in the first run of a pair, and in the second."""
    return (0, PEOPLE) if pair % 2 == 0 else (PEOPLE, 0)


def patients(records: Sequence[Record]) -> list[str]:
    """Whom people search for."""
    return [*dict.fromkeys((record.key or b"").decode() for record in records[:SOUGHT])]


async def _visited(
    ground: Ground, source: Input, beside: Sequence[Record], sought: list[str], pair: int, people: int
) -> Visited:
    async with ground.run(LEDGER, partitions=PARTITIONS, source=source) as made:
        run, token = opened(made)
        await play_into(run, beside)
        visitors = _Visitors(run, token, sought, people) if people else None
        try:
            row = await throughput(LEDGER, run, ground.broker, given=source.given_to(LEDGER))
        finally:
            told = await asyncio.to_thread(visitors.end) if visitors else None
        if told is not None and (told.refused or not told.opened):
            raise BenchError(f"{run.name}: pages were not shown: {told.refused or 'none was'}: {run.log}")
        took = sorted(each for some in told.pages.values() for each in some) if told else []
        seconds = told.seconds if told else 1.0
        return Visited(
            pair=pair,
            people=people,
            rate=row.rate,
            cpu=row.cpu,
            broker_cpu=row.broker_cpu,
            rss=row.rss,
            pages=len(took) / seconds,
            live=told.live / seconds if told else 0.0,
            p50=percentile(took, 0.5) if took else 0.0,
            p99=percentile(took, 0.99) if took else 0.0,
            people_cpu=told.cpu / seconds if told else 0.0,
        )


def opened(run: Run) -> tuple[Run, str]:
    """``run`` with its pages open to whoever has the token, as somebody who sees and may do everything: then
    each look at a patient is noted, too."""
    token = new()
    run.settings.data_dir.mkdir(parents=True, exist_ok=True)
    file = run.settings.data_dir / "tokens.toml"
    file.write_text(f'[[token]]\nuser = "bench"\nrole = "{Role.ANALYST}"\nsha256 = "{digest(token)}"\n')
    changed = {"web_secret": SecretStr(new()), "web_tokens": file}
    return replace(run, settings=run.settings.model_copy(update=changed)), token


class _Visitors:
    """The process of ``bench.people``, which waits for the worker and ends with it."""

    def __init__(self, run: Run, token: str, sought: list[str], people: int) -> None:
        self._told = run.folder / f"{run.name}.people.json"
        self._log = run.folder / f"{run.name}.people.log"
        asked = Visit(
            url=_url(run), token=token, patients=sought, people=people, think=THINK, told=str(self._told)
        )
        self._child = Child(
            [sys.executable, "-m", "bench.people", msgspec.json.encode(asked).decode()],
            self._log,
            folder=ROOT,
            environment=environment(run.settings),
        )

    def end(self) -> Told:
        """What came of it; the worker is gone. Raises BenchError if that was not told."""
        try:
            with suppress(TimeoutExpired):
                self._child.wait(ENDS_WITHIN)
        finally:
            self._child.stop()
        if not self._told.exists():
            raise BenchError(f"the people ended without a word: {self._log}")
        return msgspec.json.decode(self._told.read_bytes(), type=Told)


def _url(run: Run) -> str:
    return f"http://{run.settings.web_host}:{run.settings.web_port}"


# Page by page


async def page_by_page(ground: Ground, sizes: Sizes) -> AsyncIterator[Cost | BenchError]:
    """Each page again and again, one at a time, and the overview as ``PEOPLE`` keep it open."""
    records = messages(sizes.page_state)
    for partitions in (PARTITIONS, MANY_PARTITIONS):
        async with ground.run(LEDGER, partitions=partitions) as made:
            run, token = opened(made)
            await play_into(run, records)
            worker = LocalWorker(run.settings, run.log)
            child = worker.start()
            try:
                await asyncio.to_thread(worker.wait_ready, READY_WITHIN)
                await wait_until_processed(run.settings, seconds=READY_WITHIN)
                async for row in _costs(run, child, token, patients([*canonical(records)])):
                    yield row
            finally:
                await asyncio.to_thread(child.stop)


async def _costs(
    run: Run, child: Child, token: str, sought: Sequence[str]
) -> AsyncIterator[Cost | BenchError]:
    pages, told = routes(run.settings), Told()
    links = Links(pages)
    async with aclosing(Someone(_url(run), links, told)) as someone:
        await someone.log_in(token)
        await someone.search(sought[0])
        for _ in range(2):  # some links stand only on pages that are themselves found by a link
            for page in pages:
                if page != LIVE:
                    await someone.open(page)
        idle = await _idle(child)
        for page in (each for each in pages if each != LIVE):
            if links.address(page) is None:
                yield BenchError(f"pages: no link leads to {page}")
                continue
            yield await _cost(run, child, idle, told, page, someone, sought)
            if page == SEARCH:
                yield await _cost(run, child, idle, told, SEARCHING, someone, sought)
        yield await _live(run, child, idle, token)
    if told.refused:
        yield BenchError(f"pages: not shown: {told.refused}")


async def _idle(child: Child) -> float:
    """The part of a core that the worker uses anyway."""
    before = _cpu(child)
    await asyncio.sleep(WATCHED)
    return (_cpu(child) - before) / WATCHED


async def _cost(
    run: Run, child: Child, idle: float, told: Told, page: str, someone: Someone, sought: Sequence[str]
) -> Cost:
    begun, before, bytes_before = time.monotonic(), _cpu(child), told.bytes
    for number in range(ASKED):
        if page == SEARCHING:
            await someone.search(sought[number % len(sought)])
        else:
            await someone.open(page)
    took = time.monotonic() - begun
    return Cost(
        page=page,
        partitions=run.settings.partitions,
        cpu=max(0.0, _cpu(child) - before - idle * took) / ASKED * 1000,
        took=took / ASKED * 1000,
        kib=(told.bytes - bytes_before) / ASKED / 1024,
    )


async def _live(run: Run, child: Child, idle: float, token: str) -> Cost:
    told = Told()
    async with AsyncExitStack() as all_of_them:
        people = [
            await all_of_them.enter_async_context(aclosing(Someone(_url(run), Links([]), told)))
            for _ in range(PEOPLE)
        ]
        for someone in people:
            await someone.log_in(token)
        before = _cpu(child)
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCHED):
                await asyncio.gather(*(someone.follow() for someone in people))
        spent = _cpu(child) - before - idle * WATCHED
    return Cost(
        page=f"{LIVE}, {PEOPLE} open, each renewal",
        partitions=run.settings.partitions,
        cpu=max(0.0, spent) / max(1, told.live) * 1000,
        took=None,
        kib=told.bytes / max(1, told.live) / 1024,
    )


def _cpu(child: Child) -> float:
    return used(family(child.pid))[0]
