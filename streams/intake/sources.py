"""Sources: what becomes of a record of each source topic: of the source systems, people and billing."""

from collections.abc import Callable, Mapping
from typing import Self

import msgspec

from models.commands import Redrive, Release
from models.entries import decode_entry
from models.facilities import Facilities
from models.filling import filled
from models.hearing import Again, Taken
from models.messages import ProcedureMessage, Unreadable
from models.procedures import place
from models.resolve import resolve
from models.worklist import Item
from streams.headers import DECIDED, REDRIVEN_FROM
from streams.intake import acks, commands, json_procedures
from streams.topics import Topics

Read = Callable[[bytes | None], list[ProcedureMessage]]
"""Reads one record's value. Raises Unreadable."""


class Sources:
    """Takes records in, with today's facilities. ``formats``: how messages of each topic are read."""

    def __init__(self, topics: Topics, facilities: Facilities, formats: Mapping[str, Read]) -> None:
        self._commands, self._acks = topics.commands.name, topics.acks.name
        self._procedures = topics.procedures.name
        self._formats = formats
        self.facilities = facilities

    @classmethod
    def of(cls, topics: Topics, facilities: Facilities) -> Self:
        """Every source topic, in the format that it has."""
        stated = (topics.lab_procedures, topics.infusion_procedures)
        return cls(topics, facilities, {topic.name: json_procedures.read for topic in stated})

    def __contains__(self, topic: str) -> bool:
        return topic in self._formats or topic in (self._commands, self._acks)

    def states_procedures(self, topic: str) -> bool:
        """Whether its records are what source systems say of procedures."""
        return topic in self._formats

    def take_in(self, topic: str, value: bytes | None, prefix: str, received: int) -> list[Taken]:
        """What one record becomes; ``prefix`` is its ``topic:partition:offset:``. Raises Unreadable."""
        if topic == self._commands:
            return [commands.take_in(value, self.facilities, event_id=f"{prefix}0")]
        if topic == self._acks:
            return [acks.take_in(value, self.facilities, event_id=f"{prefix}0")]
        return [
            resolve(message, self.facilities, event_id=f"{prefix}{index}", received=received)
            for index, message in enumerate(self.messages(topic, value))
        ]

    def messages(self, topic: str, value: bytes | None) -> list[ProcedureMessage]:
        """What a source system said in one record. Raises Unreadable."""
        return self._formats[topic](value)

    def take_in_again(self, item: Item, said: Release | Redrive) -> list[Taken]:
        """What the item's record is today, with what the command puts in its place. Raises Unreadable."""
        assert item.topic is not None
        assert item.partition is not None
        received = item.received or 0
        if isinstance(said, Release):
            message = self.messages(item.topic, item.value)[place(item.id)[-1]]
            now = filled(message, said.fill)
            return [resolve(now, self.facilities, event_id=item.id, received=received)]
        value = value_of(item, said)
        if item.topic in self:
            return self.take_in(item.topic, value, f"{item.id.rpartition(':')[0]}:", received)
        if item.topic != self._procedures:
            own = tuple(each for each in item.headers if each[0] not in (REDRIVEN_FROM, DECIDED))
            return [Again(item.topic, item.partition, item.key, value, own)]
        try:
            return [decode_entry(value or b"")]
        except msgspec.DecodeError:
            raise Unreadable("value", "an entry of the ledger") from None


def value_of(item: Item, said: Redrive) -> bytes | None:
    """The record that is redriven: as it was, or as it should have been."""
    return item.value if said.value is None else said.value
