"""Sources: what becomes of a record of each source topic: of the source systems, people and billing."""

from collections.abc import Callable, Mapping

from models.facilities import Facilities
from models.hearing import Taken
from models.messages import ProcedureMessage
from models.resolve import resolve
from streams.intake import acks, commands
from streams.topics import Topics

Read = Callable[[bytes | None], list[ProcedureMessage]]
"""Reads one record's value. Raises Unreadable."""


class Sources:
    """Takes records in, with today's facilities. ``formats``: how messages of each topic are read."""

    def __init__(self, topics: Topics, facilities: Facilities, formats: Mapping[str, Read]) -> None:
        self._commands, self._acks = topics.commands.name, topics.acks.name
        self._formats = formats
        self.facilities = facilities

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
