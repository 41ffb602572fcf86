"""A large centre's years go through one worker; then the first of them are forgotten."""

import asyncio
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import rmtree

import msgspec
import psutil
import pytest

from models.billing import Decision, Outcome, decode_decision
from streams.forget import old
from streams.in_flight import wait_until_processed
from streams.local_worker import LocalWorker, environment
from streams.play import Record, play, read_lines
from streams.reconcile import reconcile_topics
from streams.settings import Settings
from streams.story import Expected
from streams.topics import Topics
from streams.years import FIRST_YEAR, Years
from tests.chaos.cluster import LOUD
from tests.chaos.patients import FIRST, Patients
from tests.chaos.scenario import judge
from tests.group import Group
from tests.kafka import read_all

pytestmark = [pytest.mark.chaos, pytest.mark.long, pytest.mark.timeout(3600)]

YEARS = int(os.environ.get("PERDIEM_TEST_YEARS") or 6)
PATIENTS = int(os.environ.get("PERDIEM_TEST_PATIENTS") or 400)
"""Whose therapy begins in one year."""
BEFORE = date(FIRST_YEAR + min(2, YEARS - 1), 1, 1)
"""What is older is forgotten: the first two years, of two years the first."""
PROCESSED_WITHIN = 900.0
MIB = 1 << 20


class Centre:
    """One worker, and what it costs as the years go by."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        # Whenever this runs, nothing simulated is as old as that: it takes --force.
        self.settings = settings.model_copy(
            update={"retention_years": 100, "data_dir": folder / "stores", **LOUD}
        )
        self.topics = Topics.of(settings)
        self.worker = LocalWorker(self.settings, folder / "worker.log")

    async def start(self) -> float:
        """Seconds until it is ready."""
        begun = time.monotonic()
        self.worker.start()
        await asyncio.to_thread(self.worker.wait_ready, PROCESSED_WITHIN)
        return time.monotonic() - begun

    def stop(self) -> None:
        assert self.worker.process.stop() == 0

    async def processed(self) -> None:
        await wait_until_processed(self.settings, seconds=PROCESSED_WITHIN)

    async def report(self, year: int, rate: float) -> None:
        """Print what the state of so many years costs."""
        busy = self.rss()
        self.stop()
        stored = sum(file.stat().st_size for file in self.settings.data_dir.rglob("*") if file.is_file())
        warm = await self.start()
        warm_rss = self.rss()
        self.stop()
        await asyncio.to_thread(rmtree, self.settings.data_dir)
        cold = await self.start()
        print(
            f"{year}: {rate:,.0f} events a second, {busy:.0f} MiB in memory, {stored / MIB:.1f} on disk; "
            f"ready again with the store in {warm:.1f} s ({warm_rss:.0f} MiB), "
            f"without in {cold:.1f} s ({self.rss():.0f} MiB)"
        )

    def rss(self) -> float:
        """MiB that the worker holds."""
        return psutil.Process(self.worker.process.pid).memory_info().rss / MIB

    def perdiem(self, *arguments: str, code: int = 0) -> str:
        """What the command line prints."""
        ended = subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=environment(self.settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout + ended.stderr

    async def decisions(self) -> dict[str, list[Decision]]:
        """By event id, in the order of their numbers."""
        found: dict[str, list[Decision]] = defaultdict(list)
        for record in await read_all(self.settings, self.topics.decisions.name):
            decision = decode_decision(record.value)
            found[decision.event_id].append(decision)
        for decided in found.values():
            decided.sort(key=lambda decision: decision.sequence)
        return found


async def test_years_of_a_large_centre_are_charged_and_forgotten_when_told(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """No year expires by itself: all charges stand, as simulated, whatever the state costs by then.

    Then what lies before a date is forgotten, every record is processed once more, and nothing is charged.
    """
    centre, simulation = Centre(settings, tmp_path), Years(YEARS, seed=38225, patients=PATIENTS, first=FIRST)
    patients = Patients()
    expected: list[Expected] = []
    sent = 0
    print()
    await centre.start()
    try:
        for year in range(YEARS):
            begun = time.monotonic()
            number = await play(settings, patients.through(records(simulation, year)))
            await centre.processed()
            sent += number
            expected += simulation.charges_of(year)
            await centre.report(FIRST_YEAR + year, number / (time.monotonic() - begun))
            named = patients.named_in(centre.worker.log.read_text())
            report = await judge(settings, expected, sent, named)
            assert Outcome.EXPIRED not in report.outcomes
        await forgotten(centre)
        await replayed(centre)
    finally:
        centre.worker.process.stop()


def records(simulation: Years, year: int) -> Iterator[Record]:
    return read_lines(msgspec.json.encode(record) for record in simulation.records_of(year))


async def forgotten(centre: Centre) -> None:
    """The command line forgets what is old, if it is forced to; no billing event comes of it."""
    billed = await read_all(centre.settings, centre.topics.billing_events.name)
    forget = ("forget", "--before", BEFORE.isoformat(), "--reason", "retention", "--yes")
    assert "is less than 100 years ago" in centre.perdiem(*forget, code=2)
    async with old(centre.settings, BEFORE) as found:
        assert found.patients >= PATIENTS
        print(f"forgotten: {found.patients} patients, {found.days} days before {BEFORE}")
        patients = found.patients
    assert f"{patients:,} commands: applied" in centre.perdiem(*forget, "--force")
    await centre.processed()
    async with old(centre.settings, BEFORE) as found:
        assert (found.patients, found.days) == (0, 0)
    assert "0 patients with 0 days" in centre.perdiem(*forget, "--force")
    assert await read_all(centre.settings, centre.topics.billing_events.name) == billed


async def replayed(centre: Centre) -> None:
    """After a reset of all offsets the forgotten events are `expired`, by numbers that no decision had, and
    each is counted once as before."""
    topics, settings, group = centre.topics, centre.settings, Group(centre.settings)
    billed = await read_all(settings, topics.billing_events.name)
    before = await centre.decisions()
    centre.stop()
    for topic in (*topics.sources, topics.procedures):
        offsets = await group.committed(topic.name.removeprefix(settings.topic_prefix))
        if offsets:  # nothing came of billing
            await group.commit(dict.fromkeys(offsets, 0))
    await centre.start()
    await centre.processed()
    assert await read_all(settings, topics.billing_events.name) == billed
    expired = 0
    for event_id, decided in (await centre.decisions()).items():
        was, now = before[event_id][-1], decided[-1]
        numbers = {decision.sequence: decision for decision in decided}
        assert all(numbers[decision.sequence] == decision for decision in decided)
        if was.service_date and was.service_date < BEFORE and now.outcome is Outcome.EXPIRED:
            expired += 1
    print(f"after the reset {expired} events are expired, and nothing was charged")
    assert expired > 0
    assert (await reconcile_topics(settings)).balances
