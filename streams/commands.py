"""Commands of people: written to their topic, and what came of them."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel, ValidationError

from models.billing import Decision, Outcome, Reason, decode_decision
from models.commands import Command, Restate, command
from streams.clients import connected, partitions
from streams.errors import PerdiemError
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topics import Topics

C = TypeVar("C", bound=BaseModel)
AT_ONCE = 1000
"""Commands that are in memory at most: afterwards only what they are called is."""


class CommandsError(PerdiemError):
    """A command that cannot be given."""


class Said(NamedTuple):
    """Which command it was."""

    command: str
    """What it does: `release`, say."""
    name: str
    """Its item, or else its own id."""


class Came(NamedTuple):
    """What came of a command."""

    said: Said
    event_id: str
    """Of the command's record: `perdiem why` explains it."""
    decision: Decision | None
    """None: nothing was decided in time."""
    of_item: Decision | None = None
    """What was decided of the event that it releases or redrives."""

    @property
    def is_done(self) -> bool:
        """Whether it was carried out, now or when it was given before."""
        return self.decision is not None and self.decision.outcome in (Outcome.APPLIED, Outcome.REPEATED)

    @property
    def changed(self) -> bool:
        """Whether something is decided of its item because of it."""
        return _changes(self.decision)


class Followed(NamedTuple):
    """What came of a command, and what was decided of other events because of it."""

    came: Came
    follows: list[Decision]
    is_whole: bool
    """False: something of it was not decided in time."""


def _changes(decision: Decision | None) -> bool:
    """Whether the command that it is on had an effect on its item."""
    return decision is not None and (
        decision.outcome is Outcome.APPLIED or decision.reason is Reason.STILL_HELD
    )


def stamp(user: str, reason: str) -> dict[str, Any]:
    """What every command says: a new id, who, when, why."""
    return {"id": uuid.uuid4().hex, "user": user, "time": datetime.now(UTC), "reason": reason}


async def carry_out(
    settings: Settings, commands: Iterable[Command], *, seconds: float, of_items: bool = False
) -> AsyncGenerator[Came, None]:
    """Write ``commands``, however many, and give what came of each once that is known.

    Those of which nothing is decided are given at the end, ``seconds`` after the last of which something
    was. ``of_items``: they are on events, and what is decided of those then is waited for, too. Whoever
    leaves before the end closes it. Raises ``BrokersError``.
    """
    decisions = Topics.of(settings).decisions.name
    clock = asyncio.get_running_loop().time
    waiting = _Waiting(of_items)
    async with reader(settings) as source:
        behind = await source.spans(decisions)
        async for event_id, said in _write(settings, commands):
            waiting.add(event_id, said)
        following = source.follow(decisions, behind)
        until = clock() + seconds
        while waiting.commands and (left := until - clock()) > 0:
            try:
                async with asyncio.timeout(left):
                    records = await anext(following)
            except TimeoutError:
                break
            for record in records:
                for came in waiting.hear(record.value):
                    until = clock() + seconds
                    yield came
    for event_id in [*waiting.commands]:
        yield waiting.came(event_id)


async def carry_through(
    settings: Settings,
    commands: Iterable[Command],
    foreseen: Mapping[str, Collection[str]],
    *,
    seconds: float,
) -> list[Followed]:
    """What came of each command, and every decision that it brought about on other events.

    ``foreseen``: by item, the events of which something must be decided because of its command; that is
    waited for, too. Raises ``BrokersError``.
    """
    decisions = Topics.of(settings).decisions.name
    until = asyncio.get_running_loop().time() + seconds
    async with reader(settings) as source:
        behind = await source.spans(decisions)
        came = [each async for each in carry_out(settings, commands, seconds=seconds)]
        found: dict[str, list[Decision]] = {each.event_id: [] for each in came if each.changed}
        awaited = {
            (each.event_id, event)
            for each in came
            if each.changed
            for event in foreseen.get(each.said.name, ())
        }
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                following = source.follow(decisions, behind)
                while awaited:
                    for record in await anext(following):
                        decision = decode_decision(record.value)
                        if decision.cause in found and decision.event_id != decision.cause:
                            found[decision.cause].append(decision)
                            awaited.discard((decision.cause, decision.event_id))
    late = {event_id for event_id, _ in awaited}
    return [
        Followed(
            each,
            found.get(each.event_id, []),
            each.decision is not None and each.event_id not in late,
        )
        for each in came
    ]


async def find(settings: Settings, name: str, kind: type[C]) -> C:
    """The command of this id. Raises ``CommandsError`` if there is none, or it is of another kind."""
    async with reader(settings) as source:
        async for said in _all(source, Topics.of(settings).commands.name):
            if said.id == name and isinstance(said, kind):
                return said
    raise CommandsError(f"{name}: no command `{kind.model_fields['command'].default}` has this id")


async def _all(source: Reader, topic: str) -> AsyncIterator[Command]:
    async for records in source.read(await source.spans(topic)):
        for record in records:
            with suppress(ValidationError):
                yield command.validate_json(record.value or b"")


async def _write(settings: Settings, commands: Iterable[Command]) -> AsyncIterator[tuple[str, Said]]:
    """Event ids of the commands. Those on the same item or patient keep their order."""
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
            for said, place in zip(several, sent, strict=True):
                at = await place
                called = Said(said.command, getattr(said, "item", said.id))
                yield f"{at.topic}:{at.partition}:{at.offset}:0", called


def _about(said: Command) -> str:
    """The key of a command: its item, its patient, or that of its statement."""
    if isinstance(said, Restate):
        return str(said.statement.get("patient", said.id))
    return next(
        (str(getattr(said, name)) for name in ("item", "patient", "losing") if hasattr(said, name)), said.id
    )


class _Waiting:
    """For the decisions on commands, by the event ids of these."""

    def __init__(self, of_items: bool) -> None:
        self._of_items = of_items
        self.commands: dict[str, Said] = {}
        """Those that are still waited for."""
        self._on: defaultdict[str, list[str]] = defaultdict(list)
        """Commands by the item of which something is decided because of them."""
        self._decided: dict[str, Decision] = {}

    def add(self, event_id: str, said: Said) -> None:
        self.commands[event_id] = said
        if self._is_on_item(said):
            self._on[said.name].append(event_id)

    def hear(self, value: bytes) -> Iterator[Came]:
        """The commands that are waited for no longer."""
        decision = decode_decision(value)
        name = decision.event_id
        if name not in self.commands and name not in self._on:
            return
        self._decided[name] = decision
        for event_id in (name, *self._on.get(name, ())):
            if event_id in self.commands and self._is_over(event_id):
                yield self.came(event_id)

    def came(self, event_id: str) -> Came:
        """What is known by now; it is waited for no longer."""
        said, decision = self.commands.pop(event_id), self._decided.pop(event_id, None)
        of_item = self._decided.get(said.name) if self._changes(said, decision) else None
        return Came(said, event_id, decision, of_item)

    def _is_over(self, event_id: str) -> bool:
        said, decision = self.commands[event_id], self._decided.get(event_id)
        return decision is not None and (not self._changes(said, decision) or said.name in self._decided)

    def _changes(self, said: Said, decision: Decision | None) -> bool:
        """Whether something is decided of its item because of the command."""
        return self._is_on_item(said) and _changes(decision)

    def _is_on_item(self, said: Said) -> bool:
        return self._of_items and said.command in ("release", "redrive")
