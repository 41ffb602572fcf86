"""Commands of people: written to their topic, and what came of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel, ValidationError

from models.billing import Decision, Outcome, Reason, decode_decision
from models.commands import Command, Redrive, Release, Restate, command
from streams.clients import connected, partitions
from streams.errors import PerdiemError
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics

C = TypeVar("C", bound=BaseModel)
AT_ONCE = 1000
"""Commands that are in memory at most, where nobody waits for what comes of them."""


class CommandsError(PerdiemError):
    """A command that cannot be given, or was not decided in time."""


class Came(NamedTuple):
    """What came of a command."""

    command: Command
    event_id: str
    """Of the command's record: `perdiem why` explains it."""
    decision: Decision | None
    """None: nothing was decided in time."""
    of_item: Decision | None = None
    """What was decided of the event that it releases or redrives."""


def stamp(user: str, reason: str) -> dict[str, Any]:
    """What every command says: a new id, who, when, why."""
    return {"id": uuid.uuid4().hex, "user": user, "time": datetime.now(UTC), "reason": reason}


async def carry_out(
    settings: Settings, commands: Sequence[Command], *, seconds: float, of_items: bool = False
) -> list[Came]:
    """Write ``commands`` and wait until each is decided, ``seconds`` at most.

    ``of_items``: they are on events, and what is decided of those then is waited for, too. Raises
    ``BrokersError``; ``CommandsError`` for what is no command.
    """
    topics = Topics.of(settings)
    async with reader(settings) as source:
        behind = await source.spans(topics.decisions.name)
        event_ids = [each async for several in _write(settings, commands) for each in several]
        waiting = _Waiting(dict(zip(event_ids, commands, strict=True)), of_items)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for records in source.follow(topics.decisions.name, behind):
                    for record in records:
                        waiting.hear(record.value)
                    if waiting.is_over:
                        break
    return [waiting.came(event_id) for event_id in event_ids]


async def find(settings: Settings, name: str, kind: type[C]) -> C:
    """The command of this id. Raises ``CommandsError`` if there is none, or it is of another kind."""
    async with reader(settings) as source:
        async for said in _all(source, Topics.of(settings).commands.name):
            if said.id == name and isinstance(said, kind):
                return said
    raise CommandsError(f"{name}: the id of a command of that kind expected")


async def _all(source: Reader, topic: str) -> AsyncIterator[Command]:
    async for records in source.read(await source.spans(topic)):
        for record in records:
            with suppress(ValidationError):
                yield command.validate_json(record.value or b"")


async def send(settings: Settings, commands: Iterable[Command]) -> int:
    """Write commands, however many, and wait for nothing that comes of them; how many.

    Raises ``BrokersError``.
    """
    count = 0
    async for event_ids in _write(settings, commands):
        count += len(event_ids)
    return count


async def _write(settings: Settings, commands: Iterable[Command]) -> AsyncIterator[list[str]]:
    """Event ids of the commands, many at a time. Those on the same item or patient keep their order."""
    topic = Topics.of(settings).commands.name
    async with connected(
        settings, AIOKafkaProducer, enable_idempotence=True, acks="all", max_request_size=4 << 20
    ) as producer:
        await partitions(producer.client, [topic])
        left = iter(commands)
        while several := [*islice(left, AT_ONCE)]:
            sent = [
                await producer.send(topic, said.model_dump_json().encode(), _about(said).encode())
                for said in several
            ]
            places = [await each for each in sent]
            yield [f"{at.topic}:{at.partition}:{at.offset}:0" for at in places]


def _about(said: Command) -> str:
    """The key of a command: its item, its patient, or that of its statement."""
    if isinstance(said, Restate):
        return str(said.statement.get("patient", said.id))
    return next(
        (str(getattr(said, name)) for name in ("item", "patient", "losing") if hasattr(said, name)), said.id
    )


class _Waiting:
    """For the decisions on commands, by the event ids of these."""

    def __init__(self, commands: dict[str, Command], of_items: bool) -> None:
        self._commands = commands
        self._items = {
            said.item for said in commands.values() if of_items and isinstance(said, Release | Redrive)
        }
        self._decided: dict[str, Decision] = {}

    def hear(self, value: bytes) -> None:
        decision = decode_decision(value)
        if decision.event_id in self._commands or decision.event_id in self._items:
            self._decided[decision.event_id] = decision

    @property
    def is_over(self) -> bool:
        return all(
            event_id in self._decided and (item is None or item in self._decided)
            for event_id, item in ((event_id, self._item(event_id)) for event_id in self._commands)
        )

    def came(self, event_id: str) -> Came:
        item = self._item(event_id)
        return Came(
            self._commands[event_id],
            event_id,
            self._decided.get(event_id),
            self._decided.get(item) if item else None,
        )

    def _item(self, event_id: str) -> str | None:
        """The event of which something is decided because of the command, if it is."""
        said, decision = self._commands[event_id], self._decided.get(event_id)
        if decision is None or not isinstance(said, Release | Redrive) or said.item not in self._items:
            return None
        changed = decision.outcome is Outcome.APPLIED or decision.reason is Reason.STILL_HELD
        return said.item if changed else None
