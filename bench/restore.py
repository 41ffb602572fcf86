"""Restore: how long a worker takes to be ready, and how much memory it holds, as the state grows."""

import asyncio
import time
from collections.abc import AsyncIterator
from shutil import rmtree

import msgspec
import psutil

from bench.ground import Ground, play_into
from bench.load import SERVICES_OF_DAY, patient_days
from bench.measure import steady, watch
from bench.sizes import Sizes
from bench.systems import LEDGER, Run
from bench.throughput import PARTITIONS
from streams.local_worker import LocalWorker

READY_WITHIN = 600.0
"""A million patient-days may be read from the changelog."""


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """At one size of the state. Seconds are from the start of the process until it is ready; MiB."""

    patient_days: int
    rate: float
    """Events a second while the state grew to this size from the one before."""
    rss_busy: float
    """At most, while it did."""
    warm: float
    """With the local store."""
    rss_warm: float
    cold: float
    """From the changelog."""
    rss_cold: float


async def restores(ground: Ground, sizes: Sizes) -> AsyncIterator[Restore]:
    """Every size has the state of the one before, and more."""
    async with ground.run(LEDGER, partitions=PARTITIONS) as run:
        before = 0
        for size in sizes.patient_days:
            await play_into(run, patient_days(before, size))
            rate, busy = await _grow(run, ground.broker, (size - before) * len(SERVICES_OF_DAY))
            warm, rss_warm = await asyncio.to_thread(_start, run)
            await asyncio.to_thread(rmtree, run.settings.data_dir)
            cold, rss_cold = await asyncio.to_thread(_start, run)
            yield Restore(
                patient_days=size,
                rate=rate,
                rss_busy=busy,
                warm=warm,
                rss_warm=rss_warm,
                cold=cold,
                rss_cold=rss_cold,
            )
            before = size


async def _grow(run: Run, broker: int, events: int) -> tuple[float, float]:
    """Let a worker process what is there; events a second, MiB at most."""
    [worker] = LEDGER.start(run)
    try:
        async with watch(run, [worker], broker) as look:
            samples = await look.until_done(limit=float("inf"))
    finally:
        worker.stop()
    first, last = steady(samples)
    share = (last.visible - first.visible) / (samples[-1].visible - samples[0].visible)
    return share * events / (last.at - first.at), max(sample.rss for sample in samples) / (1 << 20)


def _start(run: Run) -> tuple[float, float]:
    """Start a worker and stop it; seconds until it was ready, and MiB it then held."""
    worker = LocalWorker(run.settings, run.log)
    begun = time.monotonic()
    process = worker.start()
    try:
        worker.wait_ready(READY_WITHIN)
        return time.monotonic() - begun, psutil.Process(process.pid).memory_info().rss / (1 << 20)
    finally:
        process.stop()
