"""What came out can be read: why an event was charged or not, and what was written last."""

from datetime import date

import pytest

from models.billing import Outcome
from models.explain import explain
from models.procedures import place
from streams.facilities import read_facilities
from streams.settings import Settings
from streams.tail import LINES, tail
from streams.topics import Topics
from streams.why import WhyError, of_charge, of_event, of_patient
from tests.integration.pipeline import EXAMPLES, Pipeline
from tests.kafka import Sent, produce

pytestmark = pytest.mark.integration


async def test_an_event_is_explained_with_all_its_decisions(pipeline: Pipeline) -> None:
    """In order, with the billing events that they tell of."""
    await pipeline.write()
    [decisions] = [
        decisions
        for account in pipeline.ledger.accounts.values()
        if len(decisions := [made for made in account.decisions if made.sequence > 1]) == 1
    ][:1]
    event_id = decisions[0].event_id
    told = await of_event(pipeline.settings, event_id)
    assert [made.sequence for made in told.decisions] == [1, 2]
    named = [name for made in told.decisions for name in made.billing_events]
    assert {*named} <= told.billing_events.keys()


async def test_a_charge_is_explained_with_its_day(pipeline: Pipeline) -> None:
    """By its own id or its credit's: both, and the events of the patient on that day, its own among them."""
    await pipeline.write()
    written = [event for account in pipeline.ledger.accounts.values() for event in account.billing_events]
    credit = next(event for event in written if event.reverses)
    charged, told = await of_charge(pipeline.settings, credit.charge_id)
    assert [event.id for event in charged] == [credit.charge_id, credit.id]
    assert charged[0].event_id in [event.now.event_id for event in told]
    assert {event.now.patient for event in told} == {credit.patient}
    assert (await of_charge(pipeline.settings, credit.id))[0] == charged
    with pytest.raises(WhyError, match="no charge or credit 0000"):
        await of_charge(pipeline.settings, "0" * 32)


async def test_a_patient_is_explained_on_a_day(pipeline: Pipeline) -> None:
    """All events of the patient, or those of one service date."""
    await pipeline.write()
    patient, account = next(
        (patient, account)
        for patient, account in pipeline.ledger.accounts.items()
        if {made.outcome for made in account.decisions} >= {Outcome.REPORTED, Outcome.ALREADY_REPORTED}
    )
    told = await of_patient(pipeline.settings, patient)
    assert sum(len(event.decisions) for event in told) >= len(account.decisions)
    day = account.billing_events[0].service_date
    assert await of_patient(pipeline.settings, patient, day)
    assert all(explain(made) for event in told for made in event.decisions)


async def test_the_statement_itself_is_told(pipeline: Pipeline) -> None:
    """What intake made of the event, with the time at which the procedure began."""
    await pipeline.write()
    made = next(made for account in pipeline.ledger.accounts.values() for made in account.decisions)
    told = await of_event(pipeline.settings, made.event_id)
    assert told.statement is not None
    assert (told.statement.event_id, told.statement.patient) == (made.event_id, made.patient)
    assert told.now is told.decisions[-1]


async def test_a_patients_events_are_told_by_date_and_place(pipeline: Pipeline) -> None:
    """The order of the days, and within one of the logs; numbers as numbers."""
    await pipeline.write()
    for patient in pipeline.ledger.accounts:
        told = await of_patient(pipeline.settings, patient)
        order = [(event.now.service_date or date.max, place(event.now.event_id)) for event in told]
        assert order == sorted(order)


async def test_any_spelling_of_a_patient_will_do_with_the_facilities_file(pipeline: Pipeline) -> None:
    """Authority by alias, number with zeros that the file strips."""
    await pipeline.write()
    facilities = read_facilities(EXAMPLES / "facilities.toml")
    alias = facilities.authority("LAKE").aliases[0]  # type: ignore[union-attr]
    told = await of_patient(pipeline.settings, f"{alias}|00000001", facilities=facilities)
    assert {event.now.patient for event in told} == {"LAKE|1"}
    with pytest.raises(WhyError, match=r"no decision about this patient\. Expected .* PERDIEM_FACILITIES"):
        await of_patient(pipeline.settings, "LAKE|00000001")


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize(
    ("event_id", "line"),
    [
        ("lab.procedures:0:999999:0", "no decision about lab.procedures:0:999999:0"),
        ("nonsense", "nonsense: expected an event id, topic:partition:offset:index, or a charge id"),
    ],
)
async def test_an_event_that_nobody_decided_is_told_in_one_line(
    settings: Settings, event_id: str, line: str
) -> None:
    """What is no id at all is told apart from an id that nothing was decided about."""
    with pytest.raises(WhyError) as told:
        await of_event(settings, event_id)
    assert str(told.value) == line


@pytest.mark.usefixtures("topics")
async def test_a_patient_is_never_repeated_in_an_error(settings: Settings) -> None:
    """Neither one that is not known nor one that is written wrongly."""
    for patient in ("UH|4711", "4711"):
        with pytest.raises(WhyError) as told:
            await of_patient(settings, patient)
        assert "4711" not in str(told.value)


async def test_the_last_lines_come_first_and_name_no_patient(pipeline: Pipeline) -> None:
    """As many as asked for; the patient only if asked for."""
    await pipeline.write()
    for what in ("billing", "decisions"):
        records = [record async for record in tail(pipeline.settings, what, 5, follow=False)]
        assert len(records) == 5
        lines = [LINES[what](record, False) for record in records]
        assert not any(patient in line for line in lines for patient in pipeline.ledger.accounts)


async def test_what_is_written_later_follows(pipeline: Pipeline) -> None:
    """After the records that were there come those that are written then."""
    await pipeline.write()
    following = tail(pipeline.settings, "billing", 1, follow=True)
    first = await anext(following)
    await produce(pipeline.settings, [Sent(first.topic, first.value, first.key)])
    later = await anext(following)
    await following.aclose()
    assert (later.value, later.offset > 0) == (first.value, True)


@pytest.mark.parametrize("what", ["held", "dead-letters"])
async def test_what_was_put_aside_is_told_from_its_headers(
    settings: Settings, topics: Topics, what: str
) -> None:
    """Event id, reason and field; nothing of the value, whatever it is."""
    headers = [
        ("perdiem-event-id", b"lab.procedures:0:7:0"),
        ("perdiem-reason", b"unreadable"),
        ("__streams.errors.message", b"status: expected one of performed, withdrawn"),
    ]
    topic = {"held": topics.held, "dead-letters": topics.dead_letters}[what]
    await produce(settings, [Sent(topic.name, b"\xff4711", b"k", headers)])
    [record] = [record async for record in tail(settings, what, 5, follow=False)]
    told = LINES[what](record, False)
    assert told == "lab.procedures:0:7:0 unreadable: status: expected one of performed, withdrawn"
