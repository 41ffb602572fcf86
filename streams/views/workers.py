"""Workers: a question put to all that own part of the answer, so that any of them answers for all."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from aiokafka import TopicPartition
from yarl import URL

from streams.once import OnceApp
from streams.once.failure import where
from streams.once.owner import Owner, State
from streams.once.table import Slice, Table
from streams.views.secret import Secret
from streams.views.turns import Turns

log = logging.getLogger(__name__)

Q = TypeVar("Q", bound=msgspec.Struct)
A = TypeVar("A")
K = TypeVar("K")
V = TypeVar("V")

PATH = "/workers/{question}"
_WITHIN = ClientTimeout(total=3.0, connect=1.0)
"""Seconds: a page waits no longer for a worker that hangs."""
_COMPLETE = (State.READY, State.RESTORED)


class Missing(msgspec.Struct, frozen=True, order=True):
    """A partition that no worker answered for, and why."""

    topic: str
    partition: int
    why: str


class Answers(Generic[A]):
    """What the workers said, in the order of their addresses, and what nobody answered for."""

    def __init__(self, found: list[A], missing: Iterable[Missing]) -> None:
        self.found = found
        self.missing = sorted(missing)


class Question(Generic[Q, A]):
    """What can be asked, of which agents' partitions, and how one worker answers for those that it owns.

    ``every``: partitions that are still restored are answered for, too.
    """

    def __init__(
        self,
        name: str,
        asked: type[Q],
        answer: type[A],
        agents: Sequence[str],
        local: Callable[[Sequence[Owner], Q], Awaitable[A]],
        *,
        every: bool = False,
    ) -> None:
        self.name = name
        self.agents = frozenset(agents)
        self.local = local
        self.every = every
        self.decode_asked = msgspec.json.Decoder(_Asked[asked]).decode  # type: ignore[valid-type]
        self.decode_answer = msgspec.json.Decoder(_Answered[answer]).decode  # type: ignore[valid-type]


class _Asked(msgspec.Struct, Generic[Q]):
    partitions: list[tuple[str, int]]
    question: Q


class _Answered(msgspec.Struct, Generic[A]):
    partitions: list[tuple[str, int]]
    restoring: list[tuple[str, int]]
    answer: A


_encode = msgspec.json.Encoder().encode
"""As the state is kept: msgpack would lose what a time's offset is, and pages of two workers differ."""


class Workers:
    """The workers of this installation, as Faust's assignor told each of them at the last rebalance."""

    def __init__(self, app: OnceApp, secret: Secret | None, turns: Turns) -> None:
        self._app = app
        self._secret = secret
        self._turns = turns
        self._questions: dict[str, Question[Any, Any]] = {}

    def add(self, question: Question[Any, Any]) -> None:
        """Raises ``ValueError`` for a second of the same name."""
        if question.name in self._questions:
            raise ValueError(f"{question.name} is asked already")
        self._questions[question.name] = question

    async def ask(
        self, question: Question[Q, A], asked: Q, *, partitions: Iterable[TopicPartition] | None = None
    ) -> Answers[A]:
        """Ask each worker about what it owns, all at once, and nobody about what is another's.

        ``partitions``: only these; else all of the question's agents.
        """
        wanted = {
            TopicPartition(topic, number)
            for topic, agent in self._app.tables.agents.items()
            if agent.name in question.agents
            for number in range(self._app.engine.partitions)
        }
        if partitions is not None:
            wanted &= {*partitions}
        missing = dict.fromkeys(wanted, "no worker owns it")
        asking = []
        for url, owned in sorted(self.owned().items()):
            part = sorted(wanted & owned)
            if part or (question.every and partitions is None):
                missing |= dict.fromkeys(part, f"its worker {url} does not answer")
                asking.append(self._ask(question, asked, URL(url), part))
        found: list[A] = []
        for answered in await asyncio.gather(*asking):
            if answered is None:
                continue
            found.append(answered.answer)
            for place in answered.partitions:
                missing.pop(TopicPartition(*place), None)
            for place in answered.restoring:
                missing[TopicPartition(*place)] = "it is being restored"
        return Answers(found, (Missing(tp.topic, tp.partition, why) for tp, why in missing.items()))

    def owned(self) -> dict[str, set[TopicPartition]]:
        """By the address of each worker: the source partitions that it owns."""
        router: Any = self._app.router
        known: dict[str, set[TopicPartition]] = defaultdict(set)
        for url, topics in router.external_topics_metadata().items():
            known[url] |= {
                TopicPartition(topic, number)
                for topic, numbers in topics.items()
                if topic in self._app.tables.agents
                for number in numbers
            }
        return known

    async def _ask(
        self, question: Question[Q, A], asked: Q, url: URL, part: Sequence[TopicPartition]
    ) -> _Answered[A] | None:
        if url == self._app.conf.canonical_url:
            return await self._own(question, asked, part)
        said = _encode(_Asked([(tp.topic, tp.partition) for tp in part], asked))
        assert self._secret is not None, "whoever asks has passed the guard, which needs it"
        session: ClientSession = self._app.http_client
        headers = {"Authorization": f"Worker {self._secret.ask(question.name.encode() + said)}"}
        try:
            place = url / PATH.format(question=question.name).lstrip("/")
            async with session.post(place, data=said, headers=headers, timeout=_WITHIN) as response:
                response.raise_for_status()
                answered: _Answered[A] = question.decode_answer(await response.read())
                return answered
        except (ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            log.info("Worker %s does not answer: %s", url, where(error))
            return None

    async def answer(self, name: str, shown: str, said: bytes) -> bytes | None:
        """What another worker hears from this one; None if it is none of ours that asks.

        Raises ``KeyError`` for what cannot be asked, ``msgspec.MsgspecError`` for what is no question.
        """
        kind, _, token = shown.partition(" ")
        if self._secret is None or kind != "Worker" or not self._secret.asked(token, name.encode() + said):
            return None
        question = self._questions[name]
        asked = question.decode_asked(said)
        part = [TopicPartition(*place) for place in asked.partitions]
        return _encode(await self._own(question, asked.question, part))

    async def _own(self, question: Question[Q, A], asked: Q, part: Iterable[TopicPartition]) -> _Answered[A]:
        async with self._turns:
            # From here to the answer no partition leaves.
            owners = [owner for tp in part if (owner := self._app.tables.owners.get(tp)) is not None]
            complete = [owner for owner in owners if question.every or owner.state in _COMPLETE]
            answer = await question.local(complete, asked)
        return _Answered(
            [(owner.tp.topic, owner.tp.partition) for owner in complete],
            [(owner.tp.topic, owner.tp.partition) for owner in owners if owner not in complete],
            answer,
        )


def slices(owners: Iterable[Owner], table: Table[K, V]) -> list[Slice[K, V]]:
    """The parts of ``table`` that ``owners`` hold."""
    return [owner.slices[table] for owner in owners if table in owner.slices]
