"""Worklist: what waits for a person, and what a person decided about it."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

import msgspec

from models.billing import Decision, Outcome, Reason
from models.schema import decoder

SCHEMA = 1


class Kind(StrEnum):
    HELD = "held"
    """An event that something is missing of."""
    DEAD_LETTER = "dead_letter"
    """A record that could not be read, or that the rule failed on."""
    CORRECTION = "correction"
    """What would credit a charge that is on a claim; it is held whole."""
    CLAIMED = "claimed"
    """A charge that is on a claim was credited before billing said so."""
    REFUSED_CHARGE = "refused_charge"
    """Billing refused a charge; it stands."""
    ALERT = "alert"
    """What a person should know: one procedure or product under two patients, what an undone merge left."""


class State(StrEnum):
    OPEN = "open"
    RELEASED = "released"
    REJECTED = "rejected"
    """Not taken in; of an alert or a refused charge: dealt with."""
    REDRIVEN = "redriven"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    """Nobody needs to decide it any more: what it stood for was overtaken, merged away or forgotten."""


class Heard(msgspec.Struct, array_like=True, frozen=True):
    """What became of a command, so that the same one again is told apart from another."""

    event_id: str
    outcome: Outcome
    reason: Reason | None = None
    of: str | None = None
    """Refused: the event id of the command that dealt with the item before."""


class Listed(NamedTuple):
    """Where an item stands: what is open apart from what was decided, each the oldest first."""

    is_open: bool
    since: int
    id: str


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the worklist."""

    id: str
    kind: Kind
    schema: int = msgspec.field(default_factory=lambda: SCHEMA)
    since: int = 0
    """Milliseconds since the epoch: when it came."""
    state: State = State.OPEN
    reason: Reason | None = None
    field: str | None = None
    detail: str | None = None
    """What was expected in ``field``, or what a person should know."""
    decision: Decision | None = None
    """Held or dead-lettered: what was last decided of the event."""
    patient: str | None = None
    facility: str | None = None
    source: str | None = None
    service_date: date | None = None
    event_ids: tuple[str, ...] = ()
    """The events that it is about."""
    charge_id: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    """Where the source record lies."""
    received: int | None = None
    """Milliseconds since the epoch: the source record's timestamp."""
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    """Of the source record, whole."""
    redriven: int = 0
    """How many times it was tried again."""
    heard: dict[str, Heard] = {}
    """By command id."""

    @property
    def listed(self) -> Listed:
        return Listed(self.state is State.OPEN, self.since, self.id)


encode_item = msgspec.json.Encoder().encode
decode_item = decoder(Item, "an item of the worklist", SCHEMA)
"""As other agents put it on the topic. Raises ``NewerSchemaError`` or ``msgspec.ValidationError``."""
pack_item = msgspec.msgpack.Encoder().encode
unpack_item = decoder(Item, "an item of the worklist", SCHEMA, packed=True)
"""As the state keeps it: in JSON the largest record that a source may send would have no room."""
