"""Procedures go in, charges come out: what the running pipeline promises to those who write and read."""

import asyncio
from collections import Counter
from typing import NamedTuple

import msgspec
import pytest
from aiokafka import ConsumerRecord

from models.billing import (
    BillingEvent,
    Decision,
    Outcome,
    Reason,
    decode_billing_event,
    decode_decision,
    encode_decision,
)
from models.procedures import ProcedureEvent
from streams.play import play, read_file
from streams.simulate import read_expected
from tests.integration.live import Live, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import Sent, read_all
from tests.models.ledger import Ledger
from tests.verdict import stands, verdict

pytestmark = pytest.mark.integration

DAY = EXAMPLES / "day.jsonl"
decode_procedure = msgspec.json.Decoder(ProcedureEvent | Decision).decode
UNREADABLE = {
    "nothing": None,
    "no text": b"\xff\xfe",
    "no JSON": b"MSH|^~\\&|",
    "status": said("Z", status="done"),
    "as much as Kafka takes by default": b"{" * 1_048_400,
}


class Day(NamedTuple):
    """What the topics held after the example day."""

    sources: list[ConsumerRecord]
    procedures: list[ConsumerRecord]
    decisions: list[ConsumerRecord]
    billing_events: list[ConsumerRecord]

    @property
    def decided(self) -> list[Decision]:
        return [decode_decision(record.value) for record in self.decisions]

    @property
    def billed(self) -> list[BillingEvent]:
        return [decode_billing_event(record.value) for record in self.billing_events]


@pytest.fixture(scope="module")
def day(live: Live) -> Day:
    """The example day, played into an installation that knows nothing else yet."""

    async def run() -> Day:
        await play(live.settings, read_file(DAY))
        await live.processed()
        topics = live.topics
        return Day(
            await read_all(live.settings, *(topic.name for topic in topics.sources)),
            await read_all(live.settings, topics.procedures.name),
            await read_all(live.settings, topics.decisions.name),
            await read_all(live.settings, topics.billing_events.name),
        )

    return asyncio.run(run())


def test_the_example_day_ends_with_exactly_the_charges_it_should(day: Day) -> None:
    """Each service once per patient, per day; known from how the day was made, not from the rule."""
    assert stands(day.billed) == read_expected(DAY)


def test_every_source_record_has_a_decision(day: Day) -> None:
    """Charged or not, nothing is left without a word: records in are records decided."""
    sources = {f"{record.topic}:{record.partition}:{record.offset}:0" for record in day.sources}
    assert len(sources) == len([*read_file(DAY)])
    assert {decision.event_id for decision in day.decided} == sources


def test_whoever_recomputes_finds_the_same_billing_events(day: Day) -> None:
    """Their ids and their content follow from the statements alone."""
    ledger = Ledger()
    for record in day.procedures:
        statement = decode_procedure(record.value)
        if isinstance(statement, ProcedureEvent):
            ledger.apply(statement)
    recomputed = [event for account in ledger.accounts.values() for event in account.billing_events]
    assert {event.id: event for event in day.billed} == {event.id: event for event in recomputed}
    assert len(day.billed) == len(recomputed)


def test_a_reader_can_drop_what_it_has_seen_by_the_cloudevents_id(day: Day) -> None:
    """Every billing event and decision says in its headers what it is; its id is that of its content."""
    for records, kind, decode in (
        (day.billing_events, b"perdiem.billing-event", decode_billing_event),
        (day.decisions, b"perdiem.decision", decode_decision),
    ):
        for record in records:
            headers = dict(record.headers)
            assert headers["ce_id"] == decode(record.value).id.encode()
            assert headers["ce_type"] == kind
            assert headers["ce_source"].startswith(b"/")
            assert headers["ce_specversion"] == b"1.0"
            assert headers["content-type"] == b"application/json"
        assert len({dict(record.headers)["ce_id"] for record in records}) == len(records)


def test_all_about_a_patient_lies_in_one_partition(day: Day) -> None:
    """Charges and their reasons are keyed by patient and come in order."""
    places: dict[bytes, set[int]] = {}
    for record in (*day.procedures, *day.billing_events, *day.decisions):
        decided = decode_decision(record.value) if record in day.decisions else None
        if decided is None or decided.patient is not None:
            places.setdefault(record.key, set()).add(record.partition)
    assert {len(partitions) for partitions in places.values()} == {1}
    assert all(
        record.key == decode_billing_event(record.value).patient.encode() for record in day.billing_events
    )


async def test_a_second_play_of_the_day_changes_no_charge(day: Day, live: Live) -> None:
    """Not one billing event more; the events say that they were repeated, or superseded by now."""
    before = await live.billing_events()
    told = await live.decisions()
    await play(live.settings, read_file(DAY))
    await live.processed()
    assert await live.billing_events() == before
    anew = Counter(
        decisions[-1].outcome
        for event_id, decisions in (await live.decisions()).items()
        if event_id not in told
    )
    assert sum(anew.values()) == len(day.sources)
    assert anew.keys() <= {
        Outcome.REPEATED,
        Outcome.SUPERSEDED,
        Outcome.NOT_OURS,
        Outcome.HELD,
        Outcome.DEAD_LETTERED,
    }
    assert (await verdict(live.settings)).report.clean


@pytest.mark.parametrize("what", UNREADABLE)
async def test_a_dead_letter_is_the_record_itself_and_why(day: Day, live: Live, what: str) -> None:
    """Key, value and headers as they came, however long; the error headers name field and origin."""
    assert day
    headers = [("trace", b"\x00\xff"), ("trace", b"again")]
    value = UNREADABLE[what]
    [event_id] = await live.take([Sent("lab.procedures", value, b"\xffkey", headers)])
    letter = (await live.aside(live.topics.dead_letters.name))[event_id]
    assert (letter.key, letter.value) == (b"\xffkey", value)
    assert [*letter.headers[:2]] == headers
    topic, partition, offset, _ = event_id.rsplit(":", 3)
    why = {name: text.decode() for name, text in letter.headers[2:]}
    [decision] = (await live.decisions())[event_id]
    field = "status" if what == "status" else "message"
    assert why.pop("__streams.errors.message").startswith(f"{field}: expected ")
    assert why == {
        "__streams.errors.exception": "Unreadable",
        "__streams.errors.topic": topic,
        "__streams.errors.partition": partition,
        "__streams.errors.offset": offset,
        "perdiem-reason": "unreadable",
        "perdiem-event-id": event_id,
        "perdiem-type": "record",
        "perdiem-decision": encode_decision(decision).decode(),
    }
    assert (decision.outcome, decision.field) == (Outcome.DEAD_LETTERED, field)


async def test_a_held_record_keeps_its_bytes_and_is_found_by_its_event_id(day: Day, live: Live) -> None:
    """A person sees what was sent, and what is missing."""
    assert day
    value = b" " + said("H", patient={"mrn": "17", "assigning_authority": "NOBODY"})
    [event_id] = await live.take([Sent("lab.procedures", value, b"k", [("trace", b"7")])])
    held = (await live.aside(live.topics.held.name))[event_id]
    headers = dict(held.headers)
    assert (held.key, held.value) == (event_id.encode(), value)
    assert headers["trace"] == b"7"
    assert headers["perdiem-original-key"] == b"k"
    assert headers["perdiem-reason"] == Reason.UNKNOWN_AUTHORITY.encode()
    assert headers["__streams.errors.message"].startswith(b"patient.assigning_authority: expected ")
    [decision] = (await live.decisions())[event_id]
    assert (decision.outcome, decision.field) == (Outcome.HELD, "patient.assigning_authority")


@pytest.mark.parametrize("wrong", [0, 3, 7], ids=["front", "middle", "end"])
async def test_a_wrong_record_neither_delays_nor_loses_the_others_of_its_batch(
    day: Day, live: Live, wrong: int
) -> None:
    """Eight records of one partition, sent at once: one is a dead letter, seven are charged."""
    assert day
    values = [said(f"P{wrong}{number}") for number in range(8)]
    values[wrong] = b"{"
    event_ids = await live.take(values, partition=2)
    decisions = await live.decisions()
    outcomes = [decisions[event_id][-1].outcome for event_id in event_ids]
    right = [Outcome.REPORTED] * 7
    assert outcomes == [*right[:wrong], Outcome.DEAD_LETTERED, *right[wrong:]]


async def test_an_event_that_the_rule_fails_on_is_put_aside_alone(day: Day, live: Live) -> None:
    """It is a dead letter with an alert in the log; what comes behind it on its partition is charged."""
    assert day
    [before] = await live.take([said("RULE")])
    [record] = [
        found
        for found in await read_all(live.settings, live.topics.procedures.name)
        if decode_procedure(found.value).event_id == before
    ]
    broken = record.value.replace(b'"service":"collection"', b'"service":"surgery"')
    await live.take([Sent("perdiem.procedures", broken, record.key)])
    [after] = await live.take([said("RULE", code="38226")])
    letters = (await live.aside(live.topics.dead_letters.name)).values()
    [letter] = [found for found in letters if found.value == broken]
    assert dict(letter.headers)["perdiem-reason"] == b"rule_failed"
    assert (await live.decisions())[after][-1].outcome is Outcome.CORRECTED
    told = [line for line in live.worker.log.read_text().splitlines() if "reason=rule_failed" in line]
    assert all("dead letter " in line and "event_id=" in line for line in told)
    assert told


@pytest.mark.parametrize(
    ("correction", "outcome"),
    [({"code": None, "charge_code": "0815"}, Outcome.HELD), ({"modifiers": "59"}, Outcome.DEAD_LETTERED)],
)
async def test_a_correction_that_is_put_aside_warns_of_the_standing_charge(
    day: Day, live: Live, correction: dict[str, str | None], outcome: Outcome
) -> None:
    """The charge stands as it was; a person must know that the source wanted it otherwise."""
    assert day
    [charged] = await live.take([said(outcome)])
    [corrected] = await live.take([said(outcome, version=2, **correction)])
    decisions = await live.decisions()
    [decision] = decisions[corrected]
    assert decision.outcome is outcome
    assert "standing_charge" in decision.warnings
    assert decisions[charged][-1].outcome is Outcome.REPORTED
    standing = {event.charge_id for event in await live.billing_events()}
    assert decisions[charged][-1].charge_id in standing
