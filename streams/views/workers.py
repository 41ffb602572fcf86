"""Workers: a question put to all that own part of the answer, so that any of them answers for all."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import ClientError, ClientResponseError, ClientSession, ClientTimeout
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
_WHY: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "is of another version",
    HTTPStatus.UNAUTHORIZED: "has another PERDIEM_WEB_SECRET, or another time",
}
_COMPLETE = (State.READY, State.RESTORED)


class NotOursError(Exception):
    """A question that none of our workers asked just now."""


class NotKnownError(Exception):
    """A question of another version of us, while workers are replaced one by one."""


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
                asking.append((url, part, self._ask(question, asked, URL(url), part)))
        found: list[A] = []
        answers = await asyncio.gather(*(answer for _, _, answer in asking))
        for (url, part, _), answered in zip(asking, answers, strict=True):
            if isinstance(answered, str):
                missing |= dict.fromkeys(part, f"its worker {url} {answered}")
                continue
            missing |= dict.fromkeys(part, f"its worker {url} has given it away")
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
    ) -> _Answered[A] | str:
        """Its answer, or why there is none."""
        if url == self._app.conf.canonical_url:
            return await self._own(question, asked, part)
        said = _encode(_Asked([(tp.topic, tp.partition) for tp in part], asked))
        assert self._secret is not None, "whoever asks has passed the guard, which needs it"
        sealed = self._secret.seal(_question(question.name), said)
        session: ClientSession = self._app.http_client
        try:
            place = url / PATH.format(question=question.name).lstrip("/")
            async with session.post(
                place, data=sealed, timeout=_WITHIN, allow_redirects=False, raise_for_status=True
            ) as response:
                answer = self._secret.unseal(_answer(sealed), await response.read())
            answered: _Answered[A] = question.decode_answer(answer)
            return answered
        except (ClientError, OSError, ValueError, msgspec.MsgspecError) as error:
            log.info("a worker does not answer", extra={"asked": str(url), "error": where(error)})
            return _why(error)

    async def answer(self, name: str, sealed: bytes) -> bytes:
        """What another worker hears from this one. Raises ``NotOursError``, ``NotKnownError``.

        Both are sealed: no TLS is needed between workers, and to ask again what was overheard yields
        nothing that can be read.
        """
        if self._secret is None:
            raise NotOursError
        try:
            said = self._secret.unseal(_question(name), sealed)
        except ValueError:
            raise NotOursError from None
        question = self._questions.get(name)
        if question is None:
            raise NotKnownError
        try:
            asked = question.decode_asked(said)
        except msgspec.MsgspecError:
            raise NotKnownError from None
        part = [TopicPartition(*place) for place in asked.partitions]
        return self._secret.seal(_answer(sealed), _encode(await self._own(question, asked.question, part)))

    async def _own(self, question: Question[Q, A], asked: Q, part: Iterable[TopicPartition]) -> _Answered[A]:
        async with self._turns:
            owners = [owner for tp in part if (owner := self._app.tables.owners.get(tp)) is not None]
            complete = [owner for owner in owners if question.every or owner.state in _COMPLETE]
            answer = await question.local(complete, asked)
        # Where that let others run a partition may have left: nobody answered for it whole.
        kept = [owner for owner in owners if not owner.released]
        return _Answered(
            [(owner.tp.topic, owner.tp.partition) for owner in kept if owner in complete],
            [(owner.tp.topic, owner.tp.partition) for owner in kept if owner not in complete],
            answer,
        )


def _question(name: str) -> bytes:
    return b"question " + name.encode()


def _answer(sealed_question: bytes) -> bytes:
    return b"answer " + sealed_question


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"does not answer within {_WITHIN.total:.0f} s"
    if isinstance(error, ClientResponseError):
        return _WHY.get(error.status, f"answers {error.status}")
    if isinstance(error, msgspec.MsgspecError):
        return _WHY[HTTPStatus.BAD_REQUEST]
    return "does not answer"


def slices(owners: Iterable[Owner], table: Table[K, V]) -> list[Slice[K, V]]:
    """The parts of ``table`` that ``owners`` hold."""
    return [owner.slices[table] for owner in owners if table in owner.slices]
