"""Dead letters: records that cannot be read, or that the rule failed on, kept whole."""

from typing import Any

from streams.once import UnitOfWork
from streams.once.outbox import Headers


def put_aside(
    unit: UnitOfWork,
    topic: str,
    record: Any,
    *,
    key: bytes | None,
    reason: str,
    error: str,
    message: str,
    event_id: str,
) -> None:
    """Send ``record`` with its original value and headers to ``topic``, and why in headers of ours.

    ``error`` is the class of what happened, ``message`` names the field and what was expected, never
    what the source sent there.
    """
    why: Headers = [
        ("__streams.errors.exception", error.encode()),
        ("__streams.errors.message", message.encode()),
        ("__streams.errors.topic", record.topic.encode()),
        ("__streams.errors.partition", str(record.partition).encode()),
        ("__streams.errors.offset", str(record.offset).encode()),
        ("perdiem-reason", reason.encode()),
        ("perdiem-event-id", event_id.encode()),
    ]
    if key != record.key:
        why.append(("perdiem-original-key", record.key))
    unit.send(topic, key, record.value, [*record.headers, *why])
