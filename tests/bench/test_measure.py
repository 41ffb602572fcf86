"""What the bench makes of what it sees."""

import math
from asyncio import TaskGroup
from pathlib import Path

import psutil
import pytest
from aiokafka.errors import KafkaConnectionError

from bench.measure import LOOK_EVERY, Sample, attempt, family, steady, used
from bench.systems import FAUST_AS_IT_IS, FAUST_EXACTLY_ONCE, PATH, BenchError
from streams.child import Child
from tests.integration.counting import until


def samples(*visible: int, every: float = 1.0) -> list[Sample]:
    """One look ``every`` so many seconds."""
    return [Sample(at * every, count, 0.0, 0.0, 0) for at, count in enumerate(visible)]


def test_the_rate_is_taken_between_two_commits_past_the_warm_up_and_before_the_tail() -> None:
    """What is decided first, and what waits for a last commit, count for no system."""
    first, last = steady(samples(0, 0, 5, 20, 20, 60, 90, 96, 96, 100, 100))
    assert (first.at, last.at) == (3, 6)


def test_a_system_that_commits_rarely_is_measured_from_commit_to_commit() -> None:
    """Its waiting for an interval to end is neither left out nor counted twice."""
    first, last = steady(samples(0, 0, 40, 40, 80, 80, 100))
    assert (last.visible - first.visible) / (last.at - first.at) == 20


def test_a_system_with_few_commits_is_measured_up_to_its_last() -> None:
    """Two commits tell a rate, even where the second is the end."""
    first, last = steady(samples(0, 50, 50, 100))
    assert (first.at, last.at) == (1, 3)


def test_a_commit_that_is_seen_in_parts_is_one_commit() -> None:
    """Its second part was not done in the moment between two looks."""
    seen = [0, 20, 40] + 18 * [40] + [60, 80] + 18 * [80] + [100]
    first, last = steady(samples(*seen, every=LOOK_EVERY))
    assert (last.visible - first.visible) / (last.at - first.at) == pytest.approx(40)


def test_one_commit_tells_no_rate() -> None:
    """Rather an error than a figure that means nothing."""
    with pytest.raises(BenchError, match="input is too small"):
        steady(samples(0, 0, 100, 100))


@pytest.mark.parametrize("reaped", [False, True])
async def test_a_process_that_ends_while_it_is_asked_is_left_out(tmp_path: Path, reaped: bool) -> None:
    """A system may start helpers that end at any time, unseen by whoever started the system."""
    child = Child(["sleep", "60"], tmp_path / "log", folder=tmp_path)
    [ended] = family(child.pid)
    ended.kill()
    await until(lambda: ended.status() == psutil.STATUS_ZOMBIE)
    if reaped:
        child.wait()
        assert family(child.pid) == []
    own = psutil.Process()
    cpu, rss = used([ended, own])
    assert cpu > 0
    assert rss > 0
    assert used([ended])[1] == 0
    child.wait()


async def test_a_run_that_fails_is_a_line_and_not_the_end_of_the_others() -> None:
    """Whatever a system or Kafka did: which one it was, and what."""

    async def unreachable() -> int:
        raise KafkaConnectionError("no broker")

    async def silent() -> int:
        raise BenchError("bench-001-path: no decision in 120 s")

    async def in_a_group() -> None:
        async with TaskGroup():
            await silent()

    told = await attempt(unreachable(), "Faust")
    assert isinstance(told, BenchError)
    assert str(told).startswith("Faust: KafkaConnectionError: ")
    assert "no broker" in str(told)
    assert str(await attempt(in_a_group(), "Perdiem")) == "Perdiem: bench-001-path: no decision in 120 s"
    assert str(await attempt(silent(), "Perdiem")) == "bench-001-path: no decision in 120 s"


def test_only_a_slow_peer_is_cut_short() -> None:
    """All others run to the end of their input."""
    assert FAUST_AS_IT_IS.limit == FAUST_EXACTLY_ONCE.limit == 25
    assert PATH.limit == math.inf
