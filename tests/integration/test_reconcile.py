"""Reconciling real topics: tallies of all agents, charges as they were written, what billing said of them."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from models.billing import Acknowledged, Kind, Outcome
from models.codes import Service
from models.entries import Acknowledgement, encode_entry
from models.reconciliation import Reconciliation, Written, bucket_of
from models.tally import CHARGE, CREDIT, IN, Bucket, Counts, encode_bucket, encode_counts
from streams.partitioning import partition_of
from streams.play import play, read_file
from streams.reconcile import Part, ReconcileError, reconcile_topics
from streams.settings import Settings
from streams.topics import Topic, Topics
from tests.integration.command import command
from tests.integration.live import Live, said
from tests.integration.pipeline import EXAMPLES, Pipeline
from tests.integration.test_holds import ACKS, a_command
from tests.kafka import Sent, produce, read_all

pytestmark = pytest.mark.integration

DAY = date(2025, 3, 10)
LAB = Bucket(DAY, "lakeside", "lakeside-lab")
OTHER = Bucket(date(2025, 3, 11), "bayview", "bayview-lab")
UNREAD = Bucket(None, None, None)


def tally(log: Topic, agent: str, bucket: Bucket, counts: Counts | None, partition: int = 0) -> Sent:
    """A record of ``agent``'s tallies as its changelog holds it; None deletes."""
    key = f"{agent}_tallies\0".encode() + encode_bucket(bucket)
    return Sent(log.name, None if counts is None else encode_counts(counts), key, partition=partition)


async def counted(settings: Settings, records: Mapping[Any, Any], agent: str = "intake") -> None:
    log = {"intake": Topics.of(settings).intake_lab, "ledger": Topics.of(settings).patient_days}[agent]
    await produce(settings, [tally(log, agent, bucket, counts) for bucket, counts in records.items()])


@pytest.mark.usefixtures("topics")
async def test_tables_that_were_never_written_count_as_zero(settings: Settings) -> None:
    """Nothing came in, and that balances."""
    made = await reconcile_topics(settings)
    assert (made.lines, made.written, made.balances) == ({}, {}, True)


async def test_the_tallies_of_all_agents_and_partitions_are_summed(
    settings: Settings, topics: Topics
) -> None:
    """Of each partition the last value of a key, none if it was deleted; other tables are not counted."""
    aside = Sent(topics.intake_lab.name, b"7", b"intake_counted\0" + encode_bucket(LAB), partition=0)
    await produce(
        settings,
        [
            tally(topics.intake_lab, "intake", LAB, {IN: 9}),
            tally(topics.intake_lab, "intake", LAB, {IN: 1}),
            tally(topics.intake_lab, "intake", LAB, {IN: 2}, partition=1),
            tally(topics.intake_infusion, "intake", LAB, {IN: 4}),
            tally(topics.intake_commands, "intake", LAB, {IN: 8}),
            tally(topics.intake_acks, "intake", LAB, {IN: 16}),
            tally(topics.intake_lab, "intake", OTHER, {IN: 5}),
            tally(topics.intake_lab, "intake", OTHER, None),
            tally(topics.holds, "holds", LAB, {Outcome.HELD: 20}),
            tally(topics.redrives, "holds", LAB, {Outcome.DEAD_LETTERED: 10}, partition=3),
            tally(topics.patient_days, "ledger", LAB, {Outcome.NOT_PERFORMED: 1}, partition=2),
            tally(topics.intake_lab, "ledger", LAB, {Outcome.NOT_PERFORMED: 99}),
            aside,
        ],
    )
    made = await reconcile_topics(settings)
    assert made.lines.keys() == {LAB}
    assert made.lines[LAB].counts == {IN: 31, "held": 20, "dead_lettered": 10, "not_performed": 1}
    assert made.balances


async def test_one_date_or_one_facility_is_asked_for(settings: Settings, topics: Topics) -> None:
    """What lies outside is left out, also what does not balance there. One that nobody knows is an error."""
    await counted(settings, {LAB: {IN: 1, Outcome.NOT_OURS: 1}, OTHER: {IN: 2}, UNREAD: {IN: 3}})
    assert not (await reconcile_topics(settings)).balances
    for part in (Part(LAB.service_date), Part(None, LAB.facility), Part(LAB.service_date, LAB.facility)):
        made = await reconcile_topics(settings, part)
        assert ([*made.lines], made.balances) == ([LAB], True)
    assert (await reconcile_topics(settings, Part(OTHER.service_date, "lakeside"))).lines == {}
    with pytest.raises(ReconcileError, match=r"^--facility: nothing was ever counted of lakesid$"):
        await reconcile_topics(settings, Part(None, "lakesid"))


async def test_a_charge_that_nobody_counted_is_found(pipeline: Pipeline) -> None:
    """The billing events themselves are held against the ledger's count, in each bucket."""
    await pipeline.write()
    written: dict[Bucket, dict[str, int]] = {}
    for account in pipeline.ledger.accounts.values():
        for event in account.billing_events:
            kind = CHARGE if event.kind is Kind.CHARGE else CREDIT
            bucket = written.setdefault(bucket_of(event), {})
            bucket[kind] = bucket.get(kind, 0) + 1
    await counted(pipeline.settings, written, "ledger")
    assert (await reconcile_topics(pipeline.settings)).balances
    some = next(iter(written))
    await counted(pipeline.settings, {some: {**written[some], CHARGE: written[some][CHARGE] + 1}}, "ledger")
    made = await reconcile_topics(pipeline.settings)
    assert made.miscounted == {some: {CHARGE: -1, CREDIT: 0}}
    assert not made.balances


async def test_standing_charges_are_those_of_the_ledgers_days(pipeline: Pipeline) -> None:
    """As many as the example says; none was acknowledged, and each says when it was written."""
    await pipeline.write()
    expected = len((EXAMPLES / "day.expected.jsonl").read_bytes().splitlines())
    made = await reconcile_topics(pipeline.settings, after_hours=0, examples=3)
    assert made.standing == {None: expected}
    assert (made.unacknowledged.count, len(made.unacknowledged.ids)) == (expected, 3)
    named = {event.id for account in pipeline.ledger.accounts.values() for event in account.billing_events}
    assert {*made.unacknowledged.ids} <= named
    assert made.lag.charges > 20
    assert made.lag.median is not None
    assert made.lag.p95 is not None
    assert 0 < made.lag.median <= made.lag.p95


async def test_charges_younger_than_asked_for_are_not_missed_yet(pipeline: Pipeline) -> None:
    """Billing has an hour, and so it is only after an hour that its silence is told."""
    await pipeline.write()
    written = await read_all(pipeline.settings, pipeline.topics.billing_events.name)
    soon = min(record.timestamp for record in written) / 1000 + 3600
    early = await reconcile_topics(pipeline.settings, after_hours=1, now=lambda: soon)
    assert early.unacknowledged.count == 0
    late = await reconcile_topics(pipeline.settings, after_hours=1, now=lambda: soon + 60)
    assert late.unacknowledged.count == late.standing[None]


async def test_what_the_ledger_decides_it_counts(live: Live) -> None:
    """A repeat, a second of the day, a correction of the date, a withdrawal; then what billing answers."""
    patient = {"mrn": "777", "assigning_authority": "LAKE"}
    next_day = {"performed": {"start": "2025-03-11T09:00:00"}}
    await live.take(
        [
            said("A", patient=patient),
            said("A", patient=patient),
            said("B", patient=patient),
            said("A", patient=patient, version=2, **next_day),
            said("C", version=1),
            said("C", version=2, status="withdrawn"),
        ]
    )
    later = LAB._replace(service_date=date(2025, 3, 11))
    made = await reconcile_topics(live.settings)
    # B took the unit that A left.
    assert made.lines[LAB].outcomes == {"reported": 1, "repeated": 1, "superseded": 2, "withdrawn": 1}
    assert made.lines[later].outcomes == {"corrected": 1}
    assert (made.lines[LAB].charges, made.lines[LAB].credits, made.lines[LAB].standing) == (3, 2, 1)
    assert made.miscounted == {}

    [charge] = [event for event in await live.billing_events() if event.service_date == later.service_date]
    key = charge.patient.encode()
    ack = Acknowledgement(
        patient=charge.patient,
        event_id=f"{live.topics.acks.name}:0:0:0",
        charge_id=charge.id,
        status=Acknowledged.ON_CLAIM,
    )
    place = partition_of(key, live.settings.partitions)
    await produce(live.settings, [Sent(live.topics.procedures.name, encode_entry(ack), key, partition=place)])
    await live.processed()
    made = await reconcile_topics(live.settings, after_hours=0)
    assert made.standing == {None: 1, Acknowledged.ON_CLAIM: 1}
    assert (made.lines[LAB].never_acknowledged, made.lines[later].never_acknowledged) == (1, 0)
    assert made.lines[LAB].services[Service.COLLECTION] == Written(3, 2)
    assert made.unacknowledged.count == 1
    assert charge.id not in made.unacknowledged.ids
    made = await reconcile_topics(live.settings, Part(later.service_date), after_hours=0)
    assert (made.standing, made.unacknowledged.count) == ({Acknowledged.ON_CLAIM: 1}, 0)
    assert ([*made.written], made.miscounted, made.lag.charges) == ([later], {}, 1)


async def test_the_exit_code_is_the_verdict(
    settings: Settings, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 while an event is in flight, 0 once it has its outcome; for a person, a program and a spreadsheet."""
    await produce(settings, [tally(topics.redrives, "holds", UNREAD, {Outcome.DEAD_LETTERED: 1})])
    await counted(settings, {UNREAD: {IN: 1}, LAB: {IN: 2}})
    assert await command(monkeypatch, settings, "reconcile", "--facility", "lakesid") == (2, "")
    code, out = await command(monkeypatch, settings, "reconcile")
    assert code == 1
    assert "2025-03-10, lakeside, lakeside-lab: 2 events in flight" in out

    await counted(settings, {LAB: {Outcome.REPEATED: 2}}, "ledger")
    assert (await command(monkeypatch, settings, "reconcile"))[0] == 0
    code, out = await command(monkeypatch, settings, "reconcile", "--json", "--date", "2025-03-10")
    figures = json.loads(out)
    assert (code, figures["balances"], figures["total"]["in"]) == (0, True, 2)
    assert figures["suppressed"] == {"repeated": 2, "already_reported": 0, "superseded": 0}
    code, out = await command(monkeypatch, settings, "reconcile", "--csv")
    assert (code, len(out.splitlines())) == (0, 3)


@pytest.mark.usefixtures("topics")
async def test_nobody_reads_what_was_sent_and_waiting_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that no worker takes in are an error after the seconds given, not a balance of nothing."""
    assert (await command(monkeypatch, settings, "reconcile", "--wait", "30"))[0] == 0
    await produce(settings, [Sent(Topics.of(settings).lab_procedures.name, said("A"))])
    assert await command(monkeypatch, settings, "reconcile", "--wait", "0.1") == (2, "")


async def test_the_example_day_balances(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record of it, whatever became of it: exit 0, nothing in flight, as many charges as expected."""
    records = [*read_file(EXAMPLES / "day.jsonl")]
    before = await reconcile_topics(live.settings)
    await play(live.settings, records)
    code, out = await command(monkeypatch, live.settings, "reconcile", "--wait", "60", "--json")
    figures = json.loads(out)
    assert (code, figures["balances"]) == (0, True)
    assert figures["total"]["in"] - before.total.came_in == len(records)
    expected = len((EXAMPLES / "day.expected.jsonl").read_bytes().splitlines())
    assert figures["total"]["standing"] - before.total.standing == expected
    made = await reconcile_topics(live.settings)
    assert made.total.never_acknowledged == made.standing[None]
    written = Counter((event.kind, event.service) for event in await live.billing_events())
    assert made.total.services == {
        service: Written(written[Kind.CHARGE, service], written[Kind.CREDIT, service]) for service in Service
    }


async def test_what_people_and_billing_decide_balances(live: Live) -> None:
    """What is released, rejected, redriven or discarded moves to what it becomes, to another line if its
    date is another; what they sent themselves is counted nowhere."""
    before = await reconcile_topics(live.settings)
    nobody = {"mrn": "88", "assigning_authority": "NOBODY"}
    held = await live.take([said(name, patient=nobody | {"mrn": name}) for name in ("81", "82", "83")])
    dead = await live.take([b"{", b"{"])
    made = await reconcile_topics(live.settings)
    waits = {"held": 3, "dead_lettered": 2}
    assert {what: grown(before, made)[what] for what in waits} == waits
    assert made.balances

    fill = {"patient": {"assigning_authority": "LAKE"}}
    moved = fill | {"performed": {"start": "2025-03-19T09:00:00"}}
    [*_, discarded] = await live.take(
        [
            a_command("release", "c1", item=held[0], fill=fill),
            a_command("release", "c2", item=held[1], fill=moved),
            a_command("reject", "c3", item=held[2]),
            a_command("redrive", "c4", item=dead[0], value=b64encode(said("84")).decode()),
            a_command("discard", "c5", item=dead[1]),
        ]
    )
    charge = (await live.billing_events())[-1]
    ack = {"charge_id": charge.id, "patient": charge.patient, "status": "accepted"}
    await live.take([Sent(ACKS, json.dumps(ack).encode())])
    assert (await live.decisions())[discarded][-1].outcome is Outcome.APPLIED
    made = await reconcile_topics(live.settings)
    assert made.unbalanced == {}
    assert made.miscounted == {}
    assert grown(before, made) == {
        "in": 5,
        "reported": 3,
        "rejected": 2,
        "charge": 3,
        "charge.collection": 3,
        "acknowledged": 1,
        "late": 3,
    }
    assert made.lines[LAB._replace(service_date=date(2025, 3, 19))].counts == {
        "in": 1,
        "reported": 1,
        "charge": 1,
        "charge.collection": 1,
        "late": 1,
    }
    assert made.total.never_acknowledged == made.standing[None]
    assert made.standing[Acknowledged.ACCEPTED] == 1


def grown(before: Reconciliation, after: Reconciliation) -> Counter[str]:
    """What was counted meanwhile in all."""
    more = Counter(after.total.counts)
    more.subtract(before.total.counts)
    return Counter({what: count for what, count in more.items() if count})
