"""Any worker answers for all, and says what is missing and why, whatever becomes of the others."""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

import msgspec
import pytest

from streams.access import Access
from streams.in_flight import wait_until_processed
from streams.local_kafka import free_port
from streams.local_worker import LocalWorker
from streams.play import play, read_file
from streams.topics import Topics, create
from streams.views.overview import Overview
from streams.views.rights import Role
from streams.views.secret import Secret
from tests.integration.counting import stands_still, told, until
from tests.integration.pipeline import EXAMPLES
from tests.kafka import BOUND, installation, read_all
from tests.opened import SECRET, bearer

pytestmark = pytest.mark.integration

COMMAND = (sys.executable, "-m", "tests.integration.asked")
WITHIN = 4.5
"""Seconds for a page, though one worker hangs: its time-out, and some for a machine that is busy."""
MOVING = ("rested", "seconds_left", "lag_seconds")

Place = tuple[str, int]


@pytest.fixture(scope="module")
def workers(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LocalWorker]]:
    """Three that have dealt with the example day. Their group notices a silent one after 12 s."""
    folder = tmp_path_factory.mktemp("answering")
    settings = installation(brokers, folder).model_copy(update={"session_timeout": 12.0, "heartbeat": 1.0})
    asyncio.run(create(settings))
    workers = [
        LocalWorker(
            settings.model_copy(update={"web_port": free_port(), "data_dir": folder / str(number)}),
            folder / f"worker-{number}.log",
            COMMAND,
        )
        for number in range(3)
    ]
    try:
        for worker in workers:
            worker.start()
        asyncio.run(play(settings, read_file(EXAMPLES / "day.jsonl")))
        for worker in workers:
            worker.wait_ready()
        asyncio.run(wait_until_processed(settings, seconds=BOUND))
        asyncio.run(complete(workers))
        yield workers
    finally:
        for worker in workers:
            worker.process.signal(signal.SIGCONT)
            worker.process.signal(signal.SIGTERM)
        for worker in workers:
            worker.process.stop()


def ask(worker: LocalWorker) -> Overview:
    """Its overview, in time, and with every partition either told of or missing."""
    begun = time.monotonic()
    page = Request(worker.url, headers={"Accept": "application/json", **bearer(Role.VIEWER)})
    with urlopen(page, timeout=30) as answer:
        overview = msgspec.json.decode(answer.read(), type=Overview)
    assert time.monotonic() - begun < WITHIN
    assert places(overview) | missing(overview).keys() == everything(worker)
    return overview


def everything(worker: LocalWorker) -> set[Place]:
    topics = Topics.of(worker.settings)
    read = {
        *(topics.lab_procedures, topics.infusion_procedures, topics.commands, topics.acks),
        *(topics.procedures, topics.held, topics.dead_letters, topics.identifiers),
    }
    return {(topic.name, number) for topic in read for number in range(worker.settings.partitions)}


def places(overview: Overview) -> set[Place]:
    return {(each.topic, each.partition) for each in overview.partitions}


def owned(overview: Overview, worker: LocalWorker) -> set[Place]:
    return {(each.topic, each.partition) for each in overview.partitions if each.worker == worker.url}


def missing(overview: Overview) -> dict[Place, str]:
    return {(each.topic, each.partition): each.why for each in overview.missing}


async def complete(workers: list[LocalWorker], of: int = 3) -> None:
    """Each of ``workers`` tells of everything, and of ``of`` workers."""

    def all_told() -> bool:
        overviews = [ask(worker) for worker in workers]
        return all(
            not each.missing and len(each.workers) == of and each.verdict.state == "running"
            for each in overviews
        )

    await until(lambda: asyncio.to_thread(all_told))


def still(overview: Overview) -> Any:
    """What does not move while nothing comes in: the last hour does, and how long ago something was."""
    told = msgspec.to_builtins(overview)
    for partition in told["partitions"]:
        for name in MOVING:
            del partition[name]
    return [told["verdict"], told["days"], told["workers"], told["partitions"], told["missing"]]


def test_every_worker_tells_the_same(workers: list[LocalWorker]) -> None:
    """Of all days, all workers and all partitions, whichever is asked."""
    overviews = [ask(worker) for worker in workers]
    assert still(overviews[0]) == still(overviews[1]) == still(overviews[2])
    assert overviews[0].total.charges > 0
    assert all(owned(overviews[0], worker) for worker in workers)


async def test_no_worker_is_asked_for_what_it_does_not_own(workers: list[LocalWorker]) -> None:
    """And each only once: of every partition one worker is asked, for each question of a page."""
    await asyncio.sleep(3)  # an overview that is fresh serves all who look, and asks nobody
    before = [len(told(worker, "asked")) for worker in workers]
    overview = ask(workers[0])
    asked = [told(worker, "asked")[count:] for worker, count in zip(workers, before, strict=True)]
    for worker, lines in zip(workers, asked, strict=True):
        of = {tuple(place) for line in lines for place in line["of"]}
        assert of <= owned(overview, worker)
        assert max(Counter(line["asked"] for line in lines).values()) == 1
    places_asked = Counter(tuple(place) for lines in asked for line in lines for place in line["of"])
    assert places_asked.keys() == everything(workers[0])


async def test_a_frozen_worker_is_waited_for_a_bounded_time(workers: list[LocalWorker]) -> None:
    """The others say which partitions are missing, and whose they are; then it is there again."""
    frozen = workers[2]
    its = owned(ask(workers[0]), frozen)
    frozen.process.signal(signal.SIGSTOP)
    await stands_still(frozen)
    await asyncio.sleep(3)
    for overview in await asyncio.gather(*(asyncio.to_thread(ask, worker) for worker in workers[:2])):
        assert missing(overview) == dict.fromkeys(its, f"its worker {frozen.url} does not answer within 3 s")
        assert len(overview.workers) == 2
        assert overview.verdict.state == "incomplete"
        assert frozen.url in overview.verdict.said
    frozen.process.signal(signal.SIGCONT)
    await complete(workers)


async def test_until_the_group_notices_a_killed_worker_its_partitions_are_missing(
    workers: list[LocalWorker],
) -> None:
    """And at every moment until they are owned and restored again each is told of, or missing with why."""
    killed = workers[2]
    its = owned(ask(workers[0]), killed)
    killed.process.kill()
    await asyncio.sleep(3)
    for worker in workers[:2]:
        overview = ask(worker)
        assert missing(overview) == dict.fromkeys(its, f"its worker {killed.url} does not answer")
    await complete(workers[:2], of=2)
    killed.start()
    await asyncio.to_thread(killed.wait_ready)
    await complete(workers)


async def test_a_link_that_was_used_at_one_worker_is_used_at_all(workers: list[LocalWorker]) -> None:
    """Once is once in the installation; and the login is a record of perdiem.access, for good."""
    link = Secret(SECRET).link("anna", Role.ANALYST)

    def follow(worker: LocalWorker) -> int:
        class Here(HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None: ...

        try:
            with build_opener(Here).open(f"{worker.url}/login?token={link}") as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    assert [follow(worker) for worker in workers] == [303, 401, 401]
    settings = workers[0].settings
    [record] = await read_all(settings, Topics.of(settings).access.name)
    noted = msgspec.json.decode(record.value, type=Access)
    assert (noted.user, noted.role, noted.did, noted.page, noted.about) == (
        *("anna", "analyst", "login", "/login"),
        None,
    )
    assert record.key == b"anna"
