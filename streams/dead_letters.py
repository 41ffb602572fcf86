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
    *,
    key: bytes | None,
    reason: str,
    error: str,
    message: str,
    event_id: str,
    decision: Decision | None = None,
    partition: int | None = None,
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
        ("perdiem-reason", reason.encode()),
        (EVENT_ID, event_id.encode()),
        (TYPE, RECORD),
    ]
    if decision is not None:
        why.append((DECISION, encode_decision(decision)))
    if key != record.key:
        why.append((_ORIGINAL_KEY, record.key))
    unit.send(topic, key, record.value, [*record.headers, *why], partition=partition)


def read_aside(record: Any, outcome: Outcome) -> Aside:
    """What ``put_aside`` sent; ``outcome`` is what it means where no decision is with it.

    Raises ``ValueError`` or ``KeyError`` for what it did not send.
    """
    names = [name for name, _ in record.headers]
    begin = len(names) - names[::-1].index(_FIRST) - 1
    own = {name: value or b"" for name, value in record.headers[begin:]}
    headers = tuple(record.headers[:begin])
    event_id = own[EVENT_ID].decode()
    if DECISION in own:
        decision = decode_decision(own[DECISION])
        if decision.outcome is not outcome:
            raise ValueError(f"a decision {outcome} expected")
    else:
        reason = Reason(own["perdiem-reason"].decode())
        decision = Decision(event_id=event_id, sequence=1, cause=event_id, outcome=outcome, reason=reason)
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
