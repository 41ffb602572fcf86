"""CloudEvents 1.0, Kafka binding, binary mode: what an event is, in its headers."""

from streams.once.outbox import Headers


class CloudEvents:
    """Headers of the events of one ``kind`` that ``source`` emits.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
    """

    def __init__(self, kind: str, source: str) -> None:
        self._fixed: tuple[tuple[str, bytes], ...] = (
            ("ce_specversion", b"1.0"),
            ("ce_type", kind.encode()),
            ("ce_source", source.encode()),
            ("content-type", b"application/json"),
        )

    def headers(self, event_id: str) -> Headers:
        """``event_id`` is deterministic, so a reader may drop what it has seen."""
        return [("ce_id", event_id.encode()), *self._fixed]
