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

    def headers(self, id: str, event_id: str, cause: str) -> Headers:  # noqa: A002 - the attribute's name
        """``id`` is deterministic, so a reader may drop what it has seen.

        ``event_id`` names the source event told of, ``cause`` the one whose arrival brought this about:
        https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/correlation.md
        """
        return [
            ("ce_id", id.encode()),
            ("ce_correlationid", event_id.encode()),
            ("ce_causationid", cause.encode()),
            *self._fixed,
        ]
