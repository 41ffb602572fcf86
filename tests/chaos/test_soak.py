"""A worker that has been running for long works as it did when it was new."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.audit import audit_topics
from streams.cli.audit import show
from streams.in_flight import wait_until_processed
from streams.settings import Settings
from tests.chaos.faulty import COMMAND
from tests.integration.counting import told
from tests.integration.live import LAB, running, said
from tests.kafka import Sent, produce

pytestmark = [pytest.mark.chaos, pytest.mark.long, pytest.mark.timeout(1800)]

BATCHES = 100_000
SAMPLES = 40
QUARTER = SAMPLES // 4
DEARER = 1.2
"""Times that a batch may cost in the last quarter what it cost in the second; in the first caches fill."""
GROWTH = 48 << 20
"""Bytes: RocksDB keeps twice 2 MiB of each of twelve stores in memory, and they fill at their own times."""


class Sample(NamedTuple):
    """What a worker told of its cost so far: seconds of CPU, resident bytes."""

    batches: int
    cpu: float
    rss: int


@pytest.mark.usefixtures("topics")
async def test_a_hundred_thousand_batches_cost_the_same_and_take_no_more_memory(
    settings: Settings, tmp_path: Path
) -> None:
    """From the second quarter to the last CPU time a batch and resident memory stay within the bounds above.

    A batch is one record at most, and each record is of a patient of its own, who has one charge in the end.
    CPU time is that of a quarter's cheapest stretch.
    """
    settings = settings.model_copy(update={"max_poll_records": 1, "dead_letter_window": 100})
    records, every = BATCHES // 2, BATCHES // SAMPLES
    values = (said(str(number)) for number in range(records))
    await produce(settings, [Sent(settings.topic_prefix + LAB, value) for value in values], linger_ms=50)
    with running(settings, tmp_path / "worker.log", (*COMMAND, f"metered:{every}")) as worker:
        await wait_until_processed(settings, seconds=1500)
    samples = [Sample(0, 0, 0), *(Sample(**fact) for fact in told(worker, "batches"))][: SAMPLES + 1]
    costs = [(after.cpu - before.cpu) / every * 1000 for before, after in pairwise(samples)]
    print("\n  batches  CPU ms a batch  resident MiB")
    for sample, cost in zip(samples[1:], costs, strict=True):
        print(f"{sample.batches:9,} {cost:15.3f} {sample.rss / (1 << 20):13.0f}")
    assert len(costs) == SAMPLES
    # The cheapest of a quarter: whatever else runs on the machine only makes a batch dearer.
    second, last = min(costs[QUARTER : 2 * QUARTER]), min(costs[-QUARTER:])
    print(f"a batch costs {second:.3f} ms in the second quarter, {last:.3f} in the last")
    assert last <= DEARER * second
    assert samples[-1].rss - samples[QUARTER].rss <= GROWTH
    report = await audit_topics(settings)
    show(report)
    assert report.clean
    assert report.standing == records
