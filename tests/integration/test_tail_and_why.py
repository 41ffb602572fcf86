"""What came out can be read: why an event was charged or not, and what was written last."""

import pytest

from models.billing import Outcome
from models.explain import explain
from streams.settings import Settings
from streams.tail import LINES, tail
from streams.topics import Topics
from streams.why import WhyError, of_event, of_patient
from tests.integration.pipeline import Pipeline
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


@pytest.mark.parametrize("event_id", ["lab.procedures:0:999999:0", "nonsense"])
async def test_an_event_that_nobody_decided_is_told_in_one_line(
    settings: Settings, topics: Topics, event_id: str
) -> None:
    """The form of an id is named."""
    assert topics
    with pytest.raises(WhyError, match="expected an id topic:partition:offset:index"):
        await of_event(settings, event_id)


async def test_a_patient_is_never_repeated_in_an_error(settings: Settings, topics: Topics) -> None:
    """Neither one that is not known nor one that is written wrongly."""
    assert topics
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


async def test_a_dead_letter_is_told_from_its_headers(settings: Settings, topics: Topics) -> None:
    """Event id, reason and field; nothing of the value, whatever it is."""
    headers = [
        ("perdiem-event-id", b"lab.procedures:0:7:0"),
        ("perdiem-reason", b"unreadable"),
        ("__streams.errors.message", b"status: expected one of performed, withdrawn"),
    ]
    await produce(settings, [Sent(topics.dead_letters.name, b"\xff4711", b"k", headers)])
    [record] = [record async for record in tail(settings, "dead-letters", 5, follow=False)]
    told = LINES["dead-letters"](record, False)
    assert told == "lab.procedures:0:7:0 unreadable: status: expected one of performed, withdrawn"
