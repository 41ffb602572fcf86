"""A record that nobody can deal with, at every place of a batch, takes nothing else with it."""

import asyncio
import json
from collections.abc import Callable, Iterator, Set

import pytest
from aiokafka.admin import NewTopic

from models.billing import Outcome
from streams.audit import audit_topics
from streams.brokers import Brokers
from streams.cli.audit import show
from streams.topics import HEADROOM, MAX_MESSAGE, create
from tests.chaos.faulty import COMMAND
from tests.integration.counting import told
from tests.integration.live import LAB, Live, running, said
from tests.kafka import Sent, installation, produce, read_all

pytestmark = pytest.mark.chaos

PLACES = ("x......", "...x...", "......x", "..xxx..", "x")
"""Batches, each for a partition of its own: x is a record that is wrong."""
ROOM = MAX_MESSAGE - HEADROOM
WRONG = {"nothing": None, "empty": b"", "no JSON": b"MSH|", "3 MiB": b"{" * (3 << 20)}
RULE_FAILS = "rule"


@pytest.fixture(scope="module")
def live(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running worker; its source takes records as large as it may."""
    folder = tmp_path_factory.mktemp("poison")
    settings = installation(brokers, folder).model_copy(update={"partitions": len(PLACES)})
    source = NewTopic(
        settings.topic_prefix + LAB, len(PLACES), 1, topic_configs={"max.message.bytes": str(ROOM)}
    )

    async def prepare() -> None:
        async with Brokers.connected(settings) as connected:
            await connected.create([source])
        await create(settings)

    asyncio.run(prepare())
    command = (*COMMAND, "told", f"failing-rule:{RULE_FAILS}")
    with running(settings, folder / "worker.log", command) as worker:
        yield Live(worker)


@pytest.mark.parametrize("kind", WRONG)
async def test_a_record_that_cannot_be_read_is_a_dead_letter_and_the_others_are_charged(
    live: Live, kind: str
) -> None:
    """First, in the middle, last, several in a row and alone: what is around it is charged with the batch."""
    batches = await take(live, kind, lambda patient, day: WRONG[kind])
    letters = await live.aside(live.topics.dead_letters.name)
    assert {letters[event_id].value for event_id in wrong(batches)} == {WRONG[kind]}
    if kind != "3 MiB":  # several of these fit into no batch
        units = [(fact["batch"], fact["start"], fact["end"]) for fact in told(live.worker, "batch")]
        assert {span(event_ids) for event_ids in batches} <= {*units}
    await judge(live, batches)


async def test_a_statement_that_the_rule_fails_on_is_a_dead_letter_and_the_others_are_charged(
    live: Live,
) -> None:
    """All of a batch are of one patient: the ledger deals with them in one batch, too."""
    batches = await take(live, RULE_FAILS, lambda patient, day: service(patient, day, RULE_FAILS))
    letters = await live.aside(live.topics.dead_letters.name)
    statements = {
        json.loads(record.value)["event_id"]: record.value
        for record in await read_all(live.settings, live.topics.procedures.name)
    }
    failed = wrong(batches)
    assert [letters[event_id].value for event_id in failed] == [statements[event_id] for event_id in failed]
    await judge(live, batches, missing={*failed})


def service(patient: str, day: int, begin: str = "") -> bytes:
    """A collection of ``patient`` on that day of March."""
    return said(
        f"{begin}{patient}-{day}",
        patient={"mrn": patient.upper().replace(" ", ""), "assigning_authority": "LAKE"},
        performed={"start": f"2025-03-{day + 1:02}T09:00:00"},
    )


async def take(live: Live, what: str, poison: Callable[[str, int], bytes | None]) -> list[list[str]]:
    """Write each batch at once, and wait until all are processed; their event ids."""
    topic = live.settings.topic_prefix + LAB
    records = []
    for partition, place in enumerate(PLACES):
        patient = f"{what}{partition}".upper().replace(" ", "")
        values = [(poison if mark == "x" else service)(patient, day) for day, mark in enumerate(place)]
        records += [Sent(topic, value, b"lab", partition=partition) for value in values]
    big = {"max_batch_size": ROOM, "max_request_size": MAX_MESSAGE, "linger_ms": 200}
    written = iter(await produce(live.settings, records, **big))
    await live.processed()
    return [[":".join(map(str, (*next(written), 0))) for _ in place] for place in PLACES]


def wrong(batches: list[list[str]]) -> list[str]:
    """The event ids of what was wrong."""
    return [
        event_id
        for event_ids, place in zip(batches, PLACES, strict=True)
        for event_id, mark in zip(event_ids, place, strict=True)
        if mark == "x"
    ]


def span(event_ids: list[str]) -> tuple[str, int, int]:
    """Their topic, the first offset, and the one behind the last."""
    topic = event_ids[0].split(":")[0]
    offsets = [int(event_id.split(":")[2]) for event_id in event_ids]
    return topic, offsets[0], offsets[-1] + 1


async def judge(live: Live, batches: list[list[str]], missing: Set[str] = frozenset()) -> None:
    """What was wrong is a dead letter, all else is reported; the audit names but what is ``missing``."""
    decisions = await live.decisions()
    outcomes = {event_id: decisions[event_id][-1].outcome for event_ids in batches for event_id in event_ids}
    poison = wrong(batches)
    assert outcomes == {
        event_id: Outcome.DEAD_LETTERED if event_id in poison else Outcome.REPORTED for event_id in outcomes
    }
    report = await audit_topics(live.settings, examples=100)
    show(report)
    assert {finding.id for found in report.found.values() for finding in found} == missing
