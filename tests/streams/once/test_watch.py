"""Watch: a stall ends the worker, waiting does not; and a Kafka that is gone is noticed once."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.once import watch as module
from streams.once.owner import Owner, State
from streams.once.watch import Watch
from tests.streams.once.fakes import COUNTS, an_app, an_owner


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    def die(what: str) -> None:
        raise RuntimeError(what)

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "die", die)
    return clock


@pytest.fixture
def owner(tmp_path: Path, clock: Clock) -> Iterator[Owner]:
    app = an_app(tmp_path)
    owner = an_owner(app, app.once_table("counts", COUNTS))
    owner.state, owner.inflight_since = State.READY, clock.now
    yield owner
    owner.store.close()


def test_a_batch_that_nobody_deals_with_ends_the_process(owner: Owner, clock: Clock) -> None:
    """A partition that stands still is noticed: twice the deadline of a unit after its batch was drained."""
    watch = Watch(owner.engine)
    clock.now += 2 * owner.engine.unit_deadline + 1
    with pytest.raises(RuntimeError, match=r"source\[3\]: stalled: a batch was drained 25 s ago"):
        watch.look([owner], in_touch=True)


def test_a_batch_that_waits_for_its_turn_is_no_stall(owner: Owner, clock: Clock) -> None:
    """With many partitions a batch waits long while others are dealt with: the worker goes on."""
    watch = Watch(owner.engine)
    clock.now += 3 * owner.engine.unit_deadline
    watch.worked()
    clock.now += owner.engine.unit_deadline
    watch.look([owner], in_touch=True)


def test_a_kafka_that_is_gone_is_told_once(
    owner: Owner, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Within the session timeout silence is nothing; then one line, and one when Kafka answers again."""
    watch = Watch(owner.engine)
    with caplog.at_level(logging.WARNING):
        clock.now += owner.engine.session_timeout - 1
        watch.look([], in_touch=False)
        assert watch.in_touch
        clock.now += 2
        for _ in range(3):
            watch.look([], in_touch=False)
        assert not watch.in_touch
        watch.look([], in_touch=True)
    assert watch.in_touch
    assert [(record.getMessage(), vars(record)["seconds"]) for record in caplog.records] == [
        ("Kafka does not answer", 11),
        ("Kafka answers again", 11),
    ]
