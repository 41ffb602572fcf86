"""A worker that cannot be asked, or whose answer cannot be believed, is named with the reason."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer
from aiokafka import TopicPartition
from yarl import URL

from streams.local_kafka import free_port
from streams.once.owner import Owner, State
from streams.views import workers
from streams.views.secret import Secret
from streams.views.turns import Turns
from streams.views.workers import Missing, Question, Workers

OURS = Secret("the secret of one installation here")
OTHERS = Secret("the secret of another installation")
OWN = "http://127.0.0.1:1"
TOPIC = "topic"


class Asks(msgspec.Struct, frozen=True):
    what: str


async def local(owners: Sequence[Owner], asked: Asks) -> list[int]:
    return [owner.tp.partition for owner in owners]


COUNT: Question[Asks, list[int]] = Question("count", Asks, list[int], ["agent"], local)


class Installation:
    """Two workers: this one owns partition 0, and ``Other`` at ``url`` owns 1 and 2; nobody owns 3."""

    def __init__(self, url: str, http_client: ClientSession | None = None) -> None:
        self.url = url
        self.http_client = http_client
        self.conf = SimpleNamespace(canonical_url=URL(OWN))
        self.engine = SimpleNamespace(partitions=4)
        self.router = self
        self.tables = SimpleNamespace(agents={TOPIC: SimpleNamespace(name="agent")}, owners=owners(0))

    def external_topics_metadata(self) -> dict[str, dict[str, list[int]]]:
        return {OWN: {TOPIC: [0]}, self.url: {TOPIC: [1, 2], "topic of another agent": [1]}}


def owners(*numbers: int, state: State = State.READY) -> dict[TopicPartition, Any]:
    places = [TopicPartition(TOPIC, number) for number in numbers]
    return {tp: SimpleNamespace(tp=tp, state=state, released=state is State.RELEASED) for tp in places}


Asked = Callable[..., Awaitable[workers.Answers[list[int]]]]


@pytest.fixture
async def ask() -> AsyncIterator[Asked]:
    """Ask all, where the other worker is ``handler``."""
    async with ClientSession() as client:

        async def ask_all(handler: Any) -> workers.Answers[list[int]]:
            app = web.Application()
            app.router.add_post(workers.PATH, handler)
            async with TestServer(app, host="127.0.0.1") as server:
                url = str(server.make_url("/")).rstrip("/")
                installation: Any = Installation(url, client)
                asking = Workers(installation, OURS, Turns())
                found = await asking.ask(COUNT, Asks("how many"))
                found.missing = [each for each in found.missing if each.partition != 3]
                found.missing = [
                    Missing(each.topic, each.partition, each.why.replace(url, "URL"))
                    for each in found.missing
                ]
                return found

        yield ask_all


def other(secret: Secret = OURS, known: bool = True, has: dict[Any, Any] | None = None) -> Any:
    """The other worker as it is: with this secret, what it knows and what it owns."""
    installation: Any = Installation("")
    installation.tables.owners = owners(1, 2) if has is None else has
    answering = Workers(installation, secret, Turns())
    if known:
        answering.add(COUNT)

    async def answer(request: web.Request) -> web.Response:
        try:
            said = await answering.answer(request.match_info["question"], await request.read())
        except workers.NotKnownError:
            raise web.HTTPBadRequest from None
        except workers.NotOursError:
            raise web.HTTPUnauthorized from None
        return web.Response(body=said)

    return answer


async def test_what_two_workers_own_is_answered_by_both(ask: Asked) -> None:
    """Each for its part; nothing is missing."""
    answers = await ask(other())
    assert sorted(answers.found) == [[0], [1, 2]]
    assert answers.missing == []


async def test_what_nobody_owns_is_missing() -> None:
    """And who owns what is the assignor's to say: nobody else is asked."""
    async with ClientSession() as client:
        installation: Any = Installation(OWN, client)
        answers = await Workers(installation, OURS, Turns()).ask(
            COUNT, Asks("x"), partitions=[TopicPartition(TOPIC, 3)]
        )
    assert answers.found == []
    assert answers.missing == [Missing(TOPIC, 3, "no worker owns it")]


async def status(request: web.Request) -> web.Response:
    raise web.HTTPInternalServerError


async def elsewhere(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect("/elsewhere")


async def unsealed(request: web.Request) -> web.Response:
    return web.Response(body=msgspec.json.encode({}))


async def for_another_question(request: web.Request) -> web.Response:
    return web.Response(body=OURS.seal(b"answer of another question", msgspec.json.encode({})))


async def of_another_shape(request: web.Request) -> web.Response:
    sealed = await request.read()
    return web.Response(body=OURS.seal(b"answer " + sealed, msgspec.json.encode({"new": 1})))


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (other(known=False), "its worker URL is of another version"),
        (of_another_shape, "its worker URL is of another version"),
        (other(OTHERS), "its worker URL has another PERDIEM_WEB_SECRET, or another time"),
        (status, "its worker URL answers 500"),
        (elsewhere, "its worker URL does not answer"),
        (unsealed, "its worker URL does not answer"),
        (for_another_question, "its worker URL does not answer"),
        (other(has={}), "its worker URL has given it away"),
        (other(has=owners(1, 2, state=State.RESTORING)), "it is being restored"),
    ],
)
async def test_what_a_worker_does_not_answer_for_is_missing(ask: Asked, handler: Any, why: str) -> None:
    """With the reason, and what the others answered is there."""
    answers = await ask(handler)
    assert answers.found[0] == [0]
    assert answers.missing == [Missing(TOPIC, 1, why), Missing(TOPIC, 2, why)]


async def test_a_worker_that_is_gone_is_missing() -> None:
    """Nobody listens at its address any more."""
    url = f"http://127.0.0.1:{free_port()}"
    async with ClientSession() as client:
        installation: Any = Installation(url, client)
        answers = await Workers(installation, OURS, Turns()).ask(COUNT, Asks("x"))
    assert {each.why for each in answers.missing if each.partition in (1, 2)} == {
        f"its worker {url} does not answer"
    }


async def test_a_worker_that_hangs_is_waited_for_no_longer_than_is_said(
    ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its partitions are missing, and the page is there."""
    monkeypatch.setattr(workers, "_WITHIN", ClientTimeout(total=0.2))

    async def hang(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(2)
        return web.Response()

    answers = await ask(hang)
    assert {each.why for each in answers.missing} == {"its worker URL does not answer within 0 s"}


async def test_nothing_that_was_asked_or_answered_can_be_read_on_the_way(ask: Asked) -> None:
    """Patients stand in both."""
    heard: list[bytes] = []
    answer = other()

    async def overheard(request: web.Request) -> web.Response:
        heard.append(await request.read())
        said: web.Response = await answer(request)
        heard.append(bytes(said.body or b""))  # type: ignore[arg-type]
        return said

    await ask(overheard)
    assert len(heard) == 2
    assert b"how many" not in heard[0]
    assert all(each.startswith(b"gAAAA") for each in heard)


async def test_what_leaves_while_a_worker_answers_is_missing() -> None:
    """It may be answered for in part: whoever asks is told that it was given away."""

    async def leaving(owned: Sequence[Any], asked: Asks) -> list[int]:
        for owner in owned:
            owner.released = True
        return []

    question: Question[Asks, list[int]] = Question("leaving", Asks, list[int], ["agent"], leaving)
    installation: Any = Installation("http://127.0.0.1:2")
    places = [TopicPartition(TOPIC, 0)]
    found = await Workers(installation, OURS, Turns()).ask(question, Asks("how many"), partitions=places)
    assert [(each.partition, each.why) for each in found.missing] == [
        (0, f"its worker {OWN} has given it away")
    ]
