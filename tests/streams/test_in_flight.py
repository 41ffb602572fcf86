"""Records are in flight until the group has committed them, and nothing came of them meanwhile."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams import in_flight
from streams.in_flight import NotProcessedError, _any_left, wait_until_processed
from streams.reading import Span
from streams.settings import Settings

PLACE = TopicPartition("lab.procedures", 0)


class _NoGroupYet:
    """A new Kafka: nobody has ever asked it for a group."""

    async def find_coordinator(self, group: str) -> int:
        raise GroupCoordinatorNotAvailableError


class _Source:
    def __init__(self, records: int) -> None:
        self._span = Span(0, records)

    async def spans(self, *_: str) -> dict[TopicPartition, Span]:
        return {PLACE: self._span}

    async def read(self, spans: dict[TopicPartition, Span]) -> AsyncGenerator[list[int], None]:
        for span in spans.values():
            yield [*range(span.begin, span.end)]


async def test_before_the_first_worker_everything_is_in_flight() -> None:
    """A Kafka that knows no group yet is waited for like one whose group has committed nothing."""
    new: Any = _NoGroupYet()
    source: Any = _Source(2)
    assert await _any_left(new, source, "perdiem", await source.spans())
    source = _Source(0)
    assert not await _any_left(new, source, "perdiem", await source.spans())


class _Round:
    """One record that agents send round: each time that a topic is asked, it has just gone on to the next."""

    def __init__(self, hops: int) -> None:
        self._hops = hops
        self.written = 0

    async def spans(self, *topics: str) -> dict[TopicPartition, Span]:
        return {TopicPartition(topic, 0): Span(0, self.written) for topic in topics}

    async def any_left(self, _admin: object, _source: object, _group: str, spans: object) -> bool:
        if self.written < self._hops:
            self.written += 1
        return False


@asynccontextmanager
async def _given(round_trip: Any) -> AsyncIterator[Any]:
    yield round_trip


async def test_what_goes_round_behind_the_question_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No topic ever has a record left when it is asked; at rest is only what nothing was written to."""
    going = _Round(hops=7)
    monkeypatch.setattr(in_flight, "_any_left", going.any_left)
    monkeypatch.setattr(in_flight, "reader", lambda _: _given(going))
    monkeypatch.setattr(in_flight, "connected", lambda *_: _given(None))
    await wait_until_processed(Settings.isolated(), seconds=10)
    assert going.written == 7


async def test_what_never_rests_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time given, though no topic ever has a record left when it is asked."""
    going = _Round(hops=10**9)
    monkeypatch.setattr(in_flight, "_any_left", going.any_left)
    monkeypatch.setattr(in_flight, "reader", lambda _: _given(going))
    monkeypatch.setattr(in_flight, "connected", lambda *_: _given(None))
    with pytest.raises(NotProcessedError):
        await wait_until_processed(Settings.isolated(), seconds=0.01)
