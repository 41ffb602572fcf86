"""Tally: how many events came in, and what became of them, so that both can be held against each other.

Events in = the sum of the latest outcomes + what is in flight, for each service date, facility and source.
Each agent counts what it decides in the transaction that decides it; what moves from one to another is taken
from one tally and added to the other, so their sum is true whenever nothing is in flight.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from models.billing import Decision, Outcome
from models.codes import Service
from models.procedures import ProcedureEvent
from models.worklist import Item, Kind, State

IN, CHARGE, CREDIT, LATE, ACKNOWLEDGED = "in", "charge", "credit", "late", "acknowledged"
"""What is counted beside outcomes, and charges and credits of each service once more: ``of_service``.
Acknowledged are the standing charges of which billing said anything."""
_BESIDE = frozenset((IN, CHARGE, CREDIT, LATE, ACKNOWLEDGED))
_OF = "."
_SEPARATOR = "\x1f"


class Bucket(NamedTuple):
    """What is counted together, as intake resolved it; None where it did not."""

    service_date: date | None
    facility: str | None
    source: str | None


Shift = tuple[Bucket, str, int]
"""What is counted more, or less."""


def put_on_list(before: Item | None, after: Item, taken: Iterable[object] = ()) -> Iterator[Shift]:
    """What changes when an item of the worklist, that is about a procedure event, becomes another.

    ``taken`` is what left the list: it is counted where it is decided, and there under what it says by now.
    """
    was, now = _listed(before), _listed(after)
    if was is not None:
        yield was[0], was[1], -1
    if now is not None:
        yield now[0], now[1], 1
    if was is None or (now and now[0] == was[0]):
        return
    left = [bucket for each in taken if (bucket := _bucket_of(each)) is not None]
    yield was[0], IN, -1
    for bucket in [now[0]] if now else left or [was[0]]:
        yield bucket, IN, 1
    for each in taken:
        if isinstance(each, Decision) and each.outcome is Outcome.NOT_OURS:
            yield bucket_of_decision(each), each.outcome, 1


def of_service(kind: str, service: Service) -> str:
    """The name under which charges or credits of one service are counted."""
    return f"{kind}{_OF}{service}"


def is_outcome(what: str) -> bool:
    """Whether a name of what is counted is that of an outcome, one of a later version included."""
    return what not in _BESIDE and _OF not in what


def bucket_of_decision(decision: Decision) -> Bucket:
    return Bucket(decision.service_date, decision.facility, decision.source)


def _listed(item: Item | None) -> tuple[Bucket, Outcome] | None:
    """How an item's event is counted by the worklist; None if it is not, or no longer."""
    if item is None or item.decision is None or item.state in (State.RELEASED, State.REDRIVEN):
        return None
    outcome = Outcome.REJECTED
    if item.state is State.OPEN:
        outcome = Outcome.HELD if item.kind is Kind.HELD else Outcome.DEAD_LETTERED
    return bucket_of_decision(item.decision), outcome


def _bucket_of(taken: object) -> Bucket | None:
    if isinstance(taken, ProcedureEvent):
        return Bucket(*taken.bucket)
    return bucket_of_decision(taken) if isinstance(taken, Decision) else None


Counts = Mapping[str, int]
"""By outcome, and by what is counted beside them. An agent's may be below zero."""


def encode_bucket(bucket: Bucket) -> bytes:
    return _SEPARATOR.join(str(part or "") for part in bucket).encode()


def decode_bucket(key: bytes) -> Bucket:
    day, facility, source = key.decode().split(_SEPARATOR)
    return Bucket(date.fromisoformat(day) if day else None, facility or None, source or None)


encode_counts = msgspec.json.Encoder().encode
decode_counts = msgspec.json.Decoder(dict[str, int]).decode
