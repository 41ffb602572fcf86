"""Throughput: systems side by side, and how the cost of Perdiem's ledger grows."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import chain

from bench.ground import Ground, Input
from bench.load import again, canonical, messages
from bench.measure import Throughput, attempt, throughput
from bench.sizes import QUICK, Sizes
from bench.systems import LEDGER, SYSTEMS, BenchError, System

PARTITIONS = 8
"""Unless they are what grows: the default of Perdiem's settings."""


async def warm_up(ground: Ground) -> None:
    """Let Kafka's compiler see the work: whoever comes first would pay for it."""
    async with ground.input(canonical(messages(QUICK.events)), PARTITIONS) as source:
        await _measure(ground, LEDGER, source)


async def side_by_side(ground: Ground, sizes: Sizes) -> AsyncIterator[Throughput | BenchError]:
    """Every system that can run here, in turn; and that several times."""
    records = messages(sizes.events)
    systems = [system for system in SYSTEMS if system.missing() is None]
    async with ground.input(chain(records, canonical(records)), PARTITIONS) as source:
        for _ in range(sizes.rounds):
            for system in systems:
                yield await _measure(ground, system, source)


async def by_workers(ground: Ground, sizes: Sizes) -> AsyncIterator[Throughput | BenchError]:
    async with ground.input(canonical(messages(sizes.events)), PARTITIONS) as source:
        for _ in range(sizes.growth_rounds):
            for workers in sizes.workers:
                yield await _measure(ground, replace(LEDGER, workers=workers), source)


async def by_partitions(ground: Ground, sizes: Sizes) -> AsyncIterator[Throughput | BenchError]:
    records = [*canonical(messages(sizes.events))]
    async with AsyncExitStack() as inputs:
        sources = [
            await inputs.enter_async_context(ground.input(records, partitions))
            for partitions in sizes.partitions
        ]
        for _ in range(sizes.growth_rounds):
            for source in sources:
                yield await _measure(ground, LEDGER, source)


async def by_repeats(ground: Ground, sizes: Sizes) -> AsyncIterator[Throughput | BenchError]:
    """With copies of records in the input, as where a source sends again what was not acknowledged."""
    async with AsyncExitStack() as inputs:
        sources = []
        for share in sizes.repeats:
            records = messages(int(sizes.events * (1 - share)))
            given = ground.input(canonical(again(records, share)), PARTITIONS)
            sources.append((share, await inputs.enter_async_context(given)))
        for _ in range(sizes.growth_rounds):
            for share, source in sources:
                yield await _measure(ground, LEDGER, source, repeats=share)


async def _measure(
    ground: Ground, system: System, source: Input, *, repeats: float = 0.0
) -> Throughput | BenchError:
    return await attempt(_run(ground, system, source, repeats), system.label)


async def _run(ground: Ground, system: System, source: Input, repeats: float) -> Throughput:
    partitions = source.run.settings.partitions
    async with ground.run(system, partitions=partitions, source=source) as run:
        return await throughput(system, run, ground.broker, given=source.given_to(system), repeats=repeats)
