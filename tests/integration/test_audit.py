"""The audit reads real topics: an account that is right passes, each one that is not is found."""

import msgspec
import pytest

from models.audit import Figure
from streams.audit import audit_topics
from streams.clients import BrokersError
from streams.kept import DAYS
from streams.partitioning import partition_of
from streams.play import read_file
from streams.settings import Settings
from tests.integration.pipeline import EXAMPLES, Pipeline
from tests.kafka import produce

pytestmark = pytest.mark.integration


async def figures(pipeline: Pipeline) -> dict[Figure, int]:
    report = await audit_topics(pipeline.settings)
    return {figure: count for figure, count in report.figures.items() if count}


async def test_a_day_that_is_right_passes(pipeline: Pipeline) -> None:
    """All four figures are 0, and every source record is in the sum of outcomes."""
    await pipeline.write()
    report = await audit_topics(pipeline.settings)
    assert report.clean
    assert sum(report.outcomes.values()) == len([*read_file(EXAMPLES / "day.jsonl")])
    assert report.standing == len((EXAMPLES / "day.expected.jsonl").read_bytes().splitlines())


async def test_records_that_nobody_decided_are_unexplained(pipeline: Pipeline) -> None:
    """A topic that was filled and never read is no clean audit."""
    assert await figures(pipeline) == {Figure.UNEXPLAINED: len([*read_file(EXAMPLES / "day.jsonl")])}


async def test_a_decision_without_a_record_is_unexplained(pipeline: Pipeline) -> None:
    """Of a partition that does not exist."""
    stray = msgspec.structs.replace(pipeline.at_intake[0], event_id="lab.procedures:99:0:0")
    pipeline.at_intake.append(stray)
    await pipeline.write()
    assert await figures(pipeline) == {Figure.UNEXPLAINED: 1}


async def test_a_lost_charge_is_missing(pipeline: Pipeline) -> None:
    """In the ledger's state and in the model, not among the billing events."""
    account = next(account for account in pipeline.ledger.accounts.values() if account.billing_events)
    account.billing_events.pop()
    await pipeline.write()
    assert (await figures(pipeline))[Figure.MISSING] > 0


async def test_billing_events_written_twice_are_doubled(pipeline: Pipeline) -> None:
    """Every charge twice: as many doubled as there are charges, or more."""
    for account in pipeline.ledger.accounts.values():
        account.billing_events += account.billing_events
    await pipeline.write()
    assert (await figures(pipeline))[Figure.DOUBLED] > 20


async def test_a_state_that_lost_a_day_is_unexplained(pipeline: Pipeline) -> None:
    """The changelog must hold every charge that stands, or the next restore would charge again."""
    day = next(day for day, state in pipeline.ledger.days.items() if state.units)
    del pipeline.ledger.days[day]
    await pipeline.write()
    assert Figure.UNEXPLAINED in await figures(pipeline)


async def test_a_patient_whose_records_lie_elsewhere_is_unexplained(pipeline: Pipeline) -> None:
    """All of one patient in another partition is right in itself, and yet a second ledger's."""
    patient = next(patient for patient, account in pipeline.ledger.accounts.items() if account.billing_events)
    key, partitions = patient.encode(), pipeline.settings.partitions
    elsewhere = (partition_of(key, partitions) + 1) % partitions
    astray = (key, DAYS + key)
    records = [
        sent._replace(partition=elsewhere) if sent.key and sent.key.startswith(astray) else sent
        for sent in pipeline.sent
    ]
    await produce(pipeline.settings, records)
    assert await figures(pipeline) == {Figure.UNEXPLAINED: 1}


async def test_a_missing_topic_is_told_in_one_line(settings: Settings) -> None:
    """The topics are named, and the command that makes them."""
    with pytest.raises(BrokersError, match=r"^no topic .*procedures.*perdiem topics create"):
        await audit_topics(settings)
