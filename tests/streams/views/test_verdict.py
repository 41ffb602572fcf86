"""The verdict is the worst that is true of any part."""

import re
from typing import Any

import pytest

from streams.views.overview import verdict
from streams.views.state import Partition, Worker
from streams.views.workers import Missing


def partition(**fields: Any) -> Partition:
    known: dict[str, Any] = {
        "agent": "ledger",
        "topic": "perdiem.procedures",
        "partition": 3,
        "worker": "http://one:6066",
        "state": "ready",
        "restored": 0,
        "to_restore": 0,
        "seconds_left": None,
        "position": 7,
        "lag": 0,
        "lag_seconds": 0.0,
        "rested": 0.1,
    }
    return Partition(**known | fields)


def worker(*partitions: Partition, **fields: Any) -> Worker:
    known: dict[str, Any] = {"url": "http://one:6066", "rebalancing": False, "in_touch": True, "bins": []}
    return Worker(partitions=[*partitions], **known | fields)


GOOD = partition()
RESTORING = partition(state="restoring", seconds_left=12.4)
KEPT = partition(state="restored")
STALLED = partition(lag=5, lag_seconds=70.0, rested=80.0)
SLOW = partition(lag=50_000, lag_seconds=70.0, rested=0.5)
IDLE = partition(lag=0, lag_seconds=0.0, rested=90_000.0)
GONE = Missing("perdiem.procedures", 1, "no worker owns it")


@pytest.mark.parametrize(
    ("workers", "missing", "state", "said"),
    [
        ([worker(GOOD, IDLE, SLOW)], [], "running", "running"),
        ([worker(GOOD, RESTORING)], [], "restoring", "restoring 1 of 2 partitions, about 12 s left"),
        ([worker(GOOD, STALLED)], [], "stalled", r"stalled: perdiem.procedures\[3\] has records waiting"),
        ([worker(RESTORING, STALLED)], [GONE], "stalled", "stalled"),
        ([worker(GOOD), worker(STALLED, in_touch=False)], [], "cut_off", "Kafka does not answer"),
        ([worker(GOOD, rebalancing=True)], [GONE], "rebalancing", "partitions move"),
        ([worker(KEPT, rebalancing=True)], [GONE], "rebalancing", "partitions move"),
        ([worker(GOOD, KEPT)], [], "rebalancing", "partitions move"),
        ([worker(KEPT, RESTORING)], [], "restoring", "restoring 1 of 2 partitions, about 12 s left"),
        ([worker(GOOD)], [GONE], "incomplete", "1 partitions are not told of, no worker owns it"),
        ([worker()], [], "idle", "without partitions"),
    ],
)
def test_the_verdict_says_what_to_look_at(
    workers: list[Worker], missing: list[Missing], state: str, said: str
) -> None:
    """Work that is slow or rests is none; what waits and does not move is."""
    found = verdict(workers, [each for one in workers for each in one.partitions], missing)
    assert found.state == state
    assert re.search(said, found.said)
