"""Records are in flight until the group has committed them."""

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.in_flight import _any_left
from streams.reading import Span

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

    async def read(self, spans: dict[TopicPartition, Span]) -> AsyncIterator[list[int]]:
        for span in spans.values():
            yield [*range(span.begin, span.end)]


async def test_before_the_first_worker_everything_is_in_flight() -> None:
    """A Kafka that knows no group yet is waited for like one whose group has committed nothing."""
    new: Any = _NoGroupYet()
    source: Any = _Source(2)
    assert await _any_left(new, source, "perdiem", ["lab.procedures"])
    source = _Source(0)
    assert not await _any_left(new, source, "perdiem", ["lab.procedures"])
