"""The consumer's thread: what is taken from aiokafka, and when a batch of it is handed out."""

from collections.abc import Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.structs import ConsumerRecord

from streams.once import OnceApp
from streams.once.batch import Batch
from streams.once.consumer import ConsumerThread
from streams.once.owner import Owner, State
from tests.streams.once.fakes import SOURCE, a_record


class FakeFetcher:
    """Holds what was fetched of SOURCE, as aiokafka's does."""

    def __init__(self) -> None:
        self._records: dict[Any, Any] = {}
        self._wait_consume_future = None
        self.state = SimpleNamespace(position=0)
        assignment = SimpleNamespace(tps={SOURCE}, state_value=lambda tp: self.state)
        self._subscriptions = SimpleNamespace(
            reassignment_in_progress=False,
            subscription=SimpleNamespace(assignment=assignment),
            fetch_context=nullcontext,
        )

    def _notify(self, future: object) -> None: ...

    def fetch(self, records: Sequence[ConsumerRecord[bytes, bytes]], *, markers: int = 0) -> None:
        """``records`` have come, and behind them so many ``markers`` of transactions."""
        left = list(records)
        end = self.state.position + len(left) + markers

        def getall(most: int) -> list[ConsumerRecord[bytes, bytes]]:
            taken = left[:most]
            del left[:most]
            self.state.position = end - len(left) - (markers if left else 0)
            return taken

        self._records[SOURCE] = SimpleNamespace(getall=getall, has_more=lambda: bool(left))


class Polled:
    """A consumer's thread whose fetcher is a fake."""

    def __init__(self, app: OnceApp, owner: Owner) -> None:
        app.tables.agents = {SOURCE.topic: owner.agent}
        self.owner = owner
        self.fetcher = FakeFetcher()
        self.thread = ConsumerThread.__new__(ConsumerThread)
        self.thread.app = app
        self.thread._ahead = {}
        self.thread.consumer = cast(Any, SimpleNamespace(flow_active=True, _read_offset={}))

    def come(self, *keys: str, markers: int = 0, size: int = 0) -> None:
        start = self.fetcher.state.position
        records = [a_record(start + number, key) for number, key in enumerate(keys)]
        for record in records:
            object.__setattr__(record, "serialized_value_size", size)
        self.fetcher.fetch(records, markers=markers)
        self.thread._drain(cast(Any, self.fetcher))

    def batches(self) -> list[tuple[int, int, int]]:
        """Of each batch that is handed out: start, end, records."""
        handed = self.thread._batches(cast(Any, self.fetcher))
        found: list[Batch] = [cast(Any, carrier.value) for [carrier] in handed.values()]
        return [(batch.start, batch.end, len(batch.records)) for batch in found]


@pytest.fixture
def polled(app: OnceApp, owner: Owner) -> Polled:
    return Polled(app, owner)


def test_a_batch_is_all_that_came_while_the_one_before_it_was_in_flight(polled: Polled) -> None:
    """Nothing more is handed out until that one is durable; then one batch, without a gap."""
    polled.come("a")
    assert polled.batches() == [(0, 1, 1)]
    polled.come("b", "c")
    polled.come("d", markers=2)
    assert polled.batches() == []
    polled.owner.inflight_since = None
    assert polled.batches() == [(1, 6, 3)]


def test_what_was_taken_before_a_rebalance_is_not_handed_out_after_it(polled: Polled) -> None:
    """The consumer has moved on by then: the owner seeks back, and what follows starts there."""
    polled.come("a", "b")
    polled.owner.epoch += 1
    assert polled.batches() == []
    polled.fetcher.state.position = 0
    polled.come("a", "b", "c")
    assert polled.batches() == [(0, 3, 3)]


def test_what_does_not_follow_what_waits_takes_its_place(polled: Polled) -> None:
    """After a seek nothing that was taken before it is handed out."""
    polled.come("a", "b")
    polled.fetcher.state.position = 0
    polled.come("a")
    assert polled.batches() == [(0, 1, 1)]


def test_nothing_is_taken_for_an_owner_that_is_not_ready(polled: Polled) -> None:
    """It seeks to its own position first."""
    polled.owner.state = State.RESTORING
    polled.come("a")
    polled.owner.state = State.READY
    assert polled.batches() == []


def test_nothing_moves_while_the_flow_is_stopped_or_the_group_changes(polled: Polled) -> None:
    """Faust has been told to stop, or partitions are about to be taken away."""
    polled.come("a")
    polled.fetcher._subscriptions.reassignment_in_progress = True
    assert polled.batches() == []
    polled.fetcher._subscriptions.reassignment_in_progress = False
    cast(Any, polled.thread.consumer).flow_active = False
    assert polled.batches() == []


def test_a_batch_that_waits_for_a_lane_grows(polled: Polled) -> None:
    """With every lane taken by other partitions of its agent it is not handed out yet."""
    busy = [Owner.__new__(Owner) for _ in range(polled.thread.app.engine.lanes)]
    for number, owner in enumerate(busy):
        owner.agent, owner.inflight_since, owner.state = polled.owner.agent, 1.0, State.READY
        polled.thread.app.tables.owners[SOURCE._replace(partition=100 + number)] = owner
    polled.come("a")
    assert polled.batches() == []
    polled.come("b")
    busy[0].inflight_since = None
    assert polled.batches() == [(0, 2, 2)]


def test_markers_alone_wait_for_records(polled: Polled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction is not spent on them at once; after 2 s it is, or retention would look like a loss."""
    polled.come(markers=2)
    assert polled.batches() == []
    polled.come("a")
    assert polled.batches() == [(0, 3, 1)]
    polled.owner.inflight_since = None
    polled.come(markers=2)
    monkeypatch.setattr(Owner, "rested", 2.1)
    assert polled.batches() == [(3, 5, 0)]


@pytest.mark.parametrize(("size", "most"), [(0, 2000), (1 << 18, 4)])
def test_a_batch_has_an_end(polled: Polled, size: int, most: int) -> None:
    """At 2,000 records, or once it has 1 MiB: a unit of work has a deadline, however large records are."""
    for _ in range(2 + most):
        polled.come("a", size=size)
    assert polled.batches() == [(0, most, most)]
