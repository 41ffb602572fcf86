"""Ties: what connects the records of several patients, as the audit reads them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from models.procedures import SEPARATOR
from models.worklist import Item
from streams.spill import Tie

PASSED_ON = frozenset({"decision", "override", "opening", "expiry", "ruling"})
"""Entries whose event may have been decided elsewhere: under its id, or another patient."""
SET_ASIDE = frozenset({"held", "dead_lettered", "rejected"})
"""Outcomes after which an event may come back as another patient's."""


class _Entry(msgspec.Struct):
    """As much of any entry as ties it to something."""

    type: str
    event_id: str
    source: str | None = None
    procedure_id: str | None = None
    unique: bool = True
    because: str | None = None
    survivor: Any = None
    name: str | None = None
    item: str | None = None


class _Decided(msgspec.Struct):
    event_id: str
    outcome: str
    sequence: int


_entry = msgspec.json.Decoder(_Entry).decode
_decided = msgspec.json.Decoder(_Decided).decode


def of_entry(key: bytes, value: bytes) -> Iterator[Tie]:
    """What ties an entry of the patient ``key`` to others.

    A procedure under two patients, a merge, and whatever a person commanded.
    """
    entry = _entry(value)
    if entry.type == "procedure":
        if entry.unique:
            yield Tie(key, f"procedure:{entry.source}{SEPARATOR}{entry.procedure_id}")
        if entry.because:
            yield Tie(key, f"event:{entry.because}")
            yield Tie(key, f"event:{entry.event_id}")
    elif entry.type in PASSED_ON:
        yield Tie(key, f"event:{entry.event_id}")
        if entry.item:
            yield Tie(key, f"item:{entry.item}")
    elif entry.type == "survivor" and entry.survivor:
        yield from _together(key, entry.survivor)
    elif entry.type in ("handover", "recall") and entry.name:
        yield from _together(key, entry.name.split(SEPARATOR, 2)[2])


def of_decision(key: bytes, value: bytes, commands: str) -> Iterator[Tie]:
    """What ties a decision to others; ``commands``: the topic that people write to."""
    decided = _decided(value)
    returns = decided.outcome == "not_ours" and decided.sequence > 1
    if decided.outcome in SET_ASIDE or returns or decided.event_id.startswith(f"{commands}:"):
        yield Tie(key, f"event:{decided.event_id}")


def of_item(item: Item) -> tuple[bytes, list[Tie]]:
    """The group that an item of the worklist belongs to, and what ties it to others."""
    group = (item.patient or item.id).encode()
    return group, [Tie(group, f"item:{item.id}")]


def _together(key: bytes, patient: str) -> Iterator[Tie]:
    name = f"patient:{patient}"
    yield Tie(key, name)
    yield Tie(patient.encode(), name)
