"""Holds: the agent that keeps the worklist, what is held and dead letters, and hears people's commands."""

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.commands import Discard, Redrive, Reject, Release, command
from models.entries import decode_entry
from models.filling import filled
from models.hearing import Again, Hearing, Taken, answered, decided, hear
from models.messages import Unreadable
from models.procedures import ProcedureEvent, place
from models.putting import enter, put
from models.resolve import resolve
from models.tally import put_on_list
from models.worklist import Heard, Item, Listed, decode_item, pack_item, unpack_item
from streams.dead_letters import read_aside
from streams.headers import COMMAND, DECIDED, ITEM, REDRIVEN_FROM, TYPE, decided_of, event_of
from streams.intake.sources import Sources
from streams.once import Codec, OnceApp, UnitOfWork
from streams.once.failure import where
from streams.once.outbox import Headers
from streams.passing import Passing
from streams.refusals import Refusals
from streams.settings import Settings
from streams.tallies import Tallies
from streams.topics import Topics

log = logging.getLogger(__name__)

WORKLIST: Codec[str, Item] = Codec(str.encode, bytes.decode, pack_item, unpack_item)
UNKNOWN: Codec[str, Heard] = Codec(
    str.encode, bytes.decode, msgspec.json.Encoder().encode, msgspec.json.Decoder(Heard).decode
)
"""By command id, of every command that named nothing on the worklist."""


def _encode_listed(place: Listed) -> bytes:
    return f"{'open' if place.is_open else 'done'}{place.since:015d}{place.id}".encode()


def _decode_listed(key: bytes) -> Listed:
    return Listed(key.startswith(b"open"), int(key[4:19]), key[19:].decode())


ORDER: Codec[Listed, bytes] = Codec(_encode_listed, _decode_listed, bytes, bytes)
"""Every item by where it is listed: whoever asks for the next few need not read those that were decided."""
_HERE = b"1"

OnWorklist = Release | Reject | Redrive | Discard


class _Record(NamedTuple):
    """A source record as it should have been."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Holds:
    """Keeps items until a person decides, and carries out what is decided, each command once."""

    def __init__(self, app: OnceApp, topics: Topics, sources: Sources, settings: Settings) -> None:
        self._sources = sources
        self._procedures = topics.procedures.name
        self._dead_letters = topics.dead_letters.name
        self._passing = Passing(topics, f"/{app.conf.id}/holds", settings.partitions)
        self.worklist = app.once_table("worklist", WORKLIST)
        self.order = app.once_table("worklist_order", ORDER)
        self.unknown = app.once_table("unknown_commands", UNKNOWN)
        self.refusals = Refusals(app, "holds_refused")
        self.tallies = Tallies(app, "holds")
        app.once_agent(
            "holds",
            self.fill,
            changelogs={
                topics.held.name: topics.holds.name,
                topics.dead_letters.name: topics.redrives.name,
            },
            tables=[
                *(self.worklist, self.order, self.unknown, self.refusals.table),
                *self.tallies.tables,
            ],
        )

    def fill(self, unit: UnitOfWork) -> None:
        for record in unit.records:
            match dict(record.headers).get(TYPE):
                case value if value == COMMAND:
                    self._hear(unit, record)
                case value if value == ITEM:
                    self._list(unit, record)
                case _:
                    self._put(record)
        self.tallies.write(unit)

    def _put(self, record: Any) -> None:
        """List what was put aside. What cannot be listed stays here: put aside again it would go round."""
        outcome = Outcome.DEAD_LETTERED if record.topic == self._dead_letters else Outcome.HELD
        try:
            aside = read_aside(record, outcome)
        except Exception as error:
            log.error("%s cannot be listed: %s", _name(record), where(error))
            return
        item = self.worklist.get(aside.decision.event_id)
        now = put(item, aside)
        if now is not item:
            self._keep(item, now)
            self._count(item, now)

    def _keep(self, before: Item | None, after: Item) -> None:
        self.worklist[after.id] = after
        if before is None or before.listed != after.listed:
            if before is not None:
                del self.order[before.listed]
            self.order[after.listed] = _HERE

    def _count(self, before: Item | None, after: Item, taken: Iterable[Taken] = ()) -> None:
        """Count the events on the list. Commands and acknowledgements are no events."""
        if self._sources.states_procedures(after.id.rsplit(":", 3)[0]):
            for bucket, what, count in put_on_list(before, after, taken):
                self.tallies.add(bucket, what, count)

    def _list(self, unit: UnitOfWork, record: Any) -> None:
        """List an item of another agent's, or close it."""
        try:
            item = decode_item(record.value)
        except Exception as error:
            self._fail(unit, record, event_of(record), 0, error)
            return
        known = self.worklist.get(item.id)
        now = enter(known, item if item.since else replace(item, since=record.timestamp))
        if now is not known:
            self._keep(known, now)

    def _hear(self, unit: UnitOfWork, record: Any) -> None:
        """Carry out a command. Reading the state is not guarded: where that fails nothing may be decided."""
        event_id, before = event_of(record), decided_of(record)
        if self.refusals.waits(event_id, before):
            return
        try:
            said = command.validate_json(record.value)
            if not isinstance(said, OnWorklist):
                raise TypeError("no command on the worklist")
        except Exception as error:
            self._fail(unit, record, event_id, before, error)
            return
        item, unknown = self.worklist.get(said.item), self.unknown.get(said.id)
        try:
            hearing = self.hear(item, said, event_id, before=unknown, decided=before)
        except Exception as error:
            self._fail(unit, record, event_id, before, error)
            return
        self._passing.decide(unit, hearing.decision)
        if hearing.heard is not None:
            self.unknown[said.id] = hearing.heard
        if item is not None and hearing.item is not None:
            self._keep(item, hearing.item)
            self._count(item, hearing.item, hearing.taken)
            self._follow(unit, item, said, hearing)

    def hear(
        self,
        item: Item | None,
        said: OnWorklist,
        event_id: str,
        *,
        before: Heard | None = None,
        decided: int = 0,
    ) -> Hearing:
        """What a command does to an item, with today's facilities. Nothing is done by asking."""
        return hear(item, said, event_id, self.take_in, before=before, decided=decided)

    def take_in(self, item: Item, said: Release | Redrive) -> list[Taken]:
        """What the item's record is today, with what the command puts in its place. Raises Unreadable."""
        assert item.topic is not None
        assert item.partition is not None
        received = item.received or 0
        if isinstance(said, Release):
            message = self._sources.messages(item.topic, item.value)[place(item.id)[-1]]
            now = filled(message, said.fill)
            return [resolve(now, self._sources.facilities, event_id=item.id, received=received)]
        value = _value(item, said)
        if item.topic in self._sources:
            return self._sources.take_in(item.topic, value, f"{item.id.rpartition(':')[0]}:", received)
        if item.topic != self._procedures:
            own = tuple(each for each in item.headers if each[0] not in (REDRIVEN_FROM, DECIDED))
            return [Again(item.topic, item.partition, item.key, value, own)]
        try:
            return [decode_entry(value or b"")]
        except msgspec.DecodeError:
            raise Unreadable("value", "an entry of the ledger") from None

    def _follow(self, unit: UnitOfWork, item: Item, said: OnWorklist, came: Hearing) -> None:
        """Send what the command brings about."""
        for taken in came.taken:
            headers: Headers = []
            if isinstance(said, Redrive):
                headers.append((REDRIVEN_FROM, f"{item.topic}:{item.partition}:{item.offset}".encode()))
                if not isinstance(taken, ProcedureEvent) or taken.command is not None:
                    headers.append((DECIDED, str(decided(item, answered(item, taken))).encode()))
                of_source = item.topic != self._procedures
                if of_source and isinstance(taken, Decision) and taken.outcome is Outcome.HELD:
                    self._passing.hold(unit, _corrected(item, said), taken)
            self._passing.pass_on(unit, taken, item.id, headers)

    def _fail(self, unit: UnitOfWork, record: Any, event_id: str, before: int, error: Exception) -> None:
        """A defect of ours costs no other record: this one is a dead letter, redriven after the repair."""
        log.error("%s failed: %s; it is a dead letter now", event_id, where(error))
        self.refusals.note(event_id, before + 1)
        decision = Decision(
            event_id=event_id,
            sequence=before + 1,
            cause=event_id,
            outcome=Outcome.DEAD_LETTERED,
            reason=Reason.RULE_FAILED,
        )
        said = "the worklist failed on this record"
        self._passing.bury(unit, record, decision, error=type(error).__name__, message=said)


def _value(item: Item, said: Redrive) -> bytes | None:
    return item.value if said.value is None else said.value


def _corrected(item: Item, said: Redrive) -> _Record:
    assert item.topic is not None
    assert item.partition is not None
    assert item.offset is not None
    place = (item.topic, item.partition, item.offset)
    return _Record(*place, item.key, _value(item, said), item.headers)


def _name(record: Any) -> str:
    return f"{record.topic}:{record.partition}:{record.offset}"
