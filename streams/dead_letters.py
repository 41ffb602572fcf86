"""Dead letters, and what is held: records kept whole, with the reason in headers of ours."""

from typing import Any

from models.billing import Decision, Outcome, Reason, decode_decision, encode_decision
from models.putting import Aside
from streams.headers import DECISION, EVENT_ID, RECORD, REDRIVEN_FROM, TYPE
from streams.once import UnitOfWork
from streams.once.outbox import Headers

_FIRST = "__streams.errors.exception"
"""Ours begin with it."""
_ORIGINAL_KEY = "perdiem-original-key"


def put_aside(
    unit: UnitOfWork,
    topic: str,
    record: Any,
    decision: Decision,
    *,
    key: bytes | None,
    error: str,
    message: str,
    partition: int,
) -> None:
    """Send ``record`` with its original value and headers to ``topic``, and why in headers of ours.

    ``error`` is the class of what happened, ``message`` names the field and what was expected, never
    what the source sent there. ``partition`` is that of the event id, where commands on it go.
    """
    why: Headers = [
        (_FIRST, error.encode()),
        ("__streams.errors.message", message.encode()),
        ("__streams.errors.topic", record.topic.encode()),
        ("__streams.errors.partition", str(record.partition).encode()),
        ("__streams.errors.offset", str(record.offset).encode()),
        ("perdiem-reason", (decision.reason or Reason.UNREADABLE).encode()),
        (EVENT_ID, decision.event_id.encode()),
        (TYPE, RECORD),
        (DECISION, encode_decision(decision)),
    ]
    if key != record.key:
        why.append((_ORIGINAL_KEY, record.key))
    unit.send(topic, key, record.value, [*record.headers, *why], partition=partition)


def read_aside(record: Any, outcome: Outcome) -> Aside:
    """What ``put_aside`` sent, with a decision of this ``outcome``.

    Raises ``ValueError`` or ``KeyError`` for what it did not send.
    """
    names = [name for name, _ in record.headers]
    begin = len(names) - names[::-1].index(_FIRST) - 1
    own = {name: value or b"" for name, value in record.headers[begin:]}
    headers = tuple(record.headers[:begin])
    decision = decode_decision(own[DECISION])
    if decision.outcome is not outcome:
        raise ValueError(f"a decision {outcome} expected")
    return Aside(
        decision=decision,
        at=record.timestamp,
        topic=own["__streams.errors.topic"].decode(),
        partition=int(own["__streams.errors.partition"]),
        offset=int(own["__streams.errors.offset"]),
        key=dict(record.headers[begin:])[_ORIGINAL_KEY] if _ORIGINAL_KEY in own else record.key,
        value=record.value,
        headers=headers,
        redriven=any(name == REDRIVEN_FROM for name, _ in headers),
    )
