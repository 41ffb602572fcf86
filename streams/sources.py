"""Sources: which records the source topics hold, and which of them were decided."""

from collections.abc import Iterable, Iterator

from aiokafka import ConsumerRecord, TopicPartition

from models.findings import Figure, Finding
from streams.reading import Span

PRESENT, DECIDED = 1, 2
"""What is known of a source record, by bits."""


class Sources:
    """Which records the source topics hold, and which of them were decided: one byte each."""

    def __init__(self, spans: dict[TopicPartition, Span]) -> None:
        self._spans = spans
        self._marks = {partition: bytearray(span.end - span.begin) for partition, span in spans.items()}

    def present(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            self._marks[partition][record.offset - self._spans[partition].begin] |= PRESENT

    def decided(self, event_id: str) -> Finding | None:
        """Note that there is a decision about ``event_id``; what is wrong if no record bears this id.

        Records the source no longer keeps cannot be checked, nor those that came after the audit began.
        """
        try:
            topic, partition_text, offset_text, _ = event_id.rsplit(":", 3)
            partition, offset = TopicPartition(topic, int(partition_text)), int(offset_text)
            span = self._spans[partition]
        except (ValueError, KeyError):
            return Finding(Figure.UNEXPLAINED, event_id, "is of no source partition")
        if not span.begin <= offset < span.end:
            return None
        marks = self._marks[partition]
        marks[offset - span.begin] |= DECIDED
        if marks[offset - span.begin] & PRESENT:
            return None
        return Finding(Figure.UNEXPLAINED, event_id, "is decided, but the source holds no such record")

    def undecided(self) -> Iterator[Finding]:
        for partition, marks in self._marks.items():
            begin = self._spans[partition].begin
            at = marks.find(PRESENT)
            while at >= 0:
                event_id = f"{partition.topic}:{partition.partition}:{begin + at}:0"
                yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
                at = marks.find(PRESENT, at + 1)
