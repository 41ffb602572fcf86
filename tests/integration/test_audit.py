"""The audit reads real topics: an account that is right passes, each one that is not is found."""

from pathlib import Path

import msgspec
import pytest
from aiokafka.partitioner import DefaultPartitioner

from models.audit import Figure
from models.billing import Decision, encode_billing_event, encode_decision
from models.facilities_file import parse
from models.messages import Unreadable
from models.patient_day import encode_patient_day
from models.procedures import encode_procedure
from models.resolve import dead_letter, resolve
from streams.audit import DAYS, audit_topics
from streams.intake.json_procedures import read
from streams.play import play, read_file
from streams.reading import ReadingError, reader
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import Sent, produce
from tests.models.ledger import Ledger

pytestmark = pytest.mark.integration
EXAMPLES = Path(__file__).parents[2] / "examples"


class Pipeline:
    """What the pipeline would write for the example day, in memory: one list a topic, to be tampered with."""

    def __init__(self, settings: Settings, topics: Topics) -> None:
        self.settings = settings
        self.ledger = Ledger()
        self.procedures: list[Sent] = []
        self.at_intake: list[Decision] = []
        self.topics = topics

    async def play(self) -> None:
        """Play the example day, and decide every record of it."""
        await play(self.settings, read_file(EXAMPLES / "day.jsonl"))
        facilities = parse((EXAMPLES / "facilities.toml").read_text())
        async with reader(self.settings) as source:
            spans = await source.spans(*(topic.name for topic in self.topics.sources))
            async for records in source.read(spans):
                for record in records:
                    event_id = f"{record.topic}:{record.partition}:{record.offset}:0"
                    try:
                        [message] = read(record.value)
                        resolved = resolve(message, facilities, event_id=event_id, received=record.timestamp)
                    except Unreadable as error:
                        resolved = dead_letter(
                            error, facilities, event_id=event_id, received=record.timestamp
                        )
                    if isinstance(resolved, Decision):
                        self.at_intake.append(resolved)
                        continue
                    key = resolved.patient.encode()
                    self.procedures.append(Sent(self.topics.procedures.name, encode_procedure(resolved), key))
                    self.ledger.apply(resolved)

    @property
    def sent(self) -> list[Sent]:
        decisions, billing = self.topics.decisions.name, self.topics.billing_events.name
        sent = [*self.procedures]
        sent += [
            Sent(decisions, encode_decision(made), (made.patient or made.event_id).encode())
            for made in self.at_intake
        ]
        for patient, account in self.ledger.accounts.items():
            key = patient.encode()
            sent += [Sent(decisions, encode_decision(made), key) for made in account.decisions]
            sent += [Sent(billing, encode_billing_event(event), key) for event in account.billing_events]
        for (patient, day), state in self.ledger.days.items():
            key = DAYS + f"{patient}/{day}".encode()
            partition = DefaultPartitioner()(patient.encode(), [*range(4)], [*range(4)])
            sent.append(
                Sent(self.topics.patient_days.name, encode_patient_day(state), key, partition=partition)
            )
        return sent

    async def write(self) -> None:
        await produce(self.settings, self.sent)

    async def figures(self) -> dict[Figure, int]:
        report = await audit_topics(self.settings)
        return {figure: count for figure, count in report.figures.items() if count}


@pytest.fixture
async def pipeline(settings: Settings, topics: Topics) -> Pipeline:
    made = Pipeline(settings, topics)
    await made.play()
    return made


async def test_a_day_that_is_right_passes(pipeline: Pipeline) -> None:
    """All four figures are 0, and every source record is in the sum of outcomes."""
    await pipeline.write()
    report = await audit_topics(pipeline.settings)
    assert report.clean
    assert sum(report.outcomes.values()) == len([*read_file(EXAMPLES / "day.jsonl")])
    assert report.standing == len((EXAMPLES / "day.expected.jsonl").read_bytes().splitlines())


async def test_records_that_nobody_decided_are_unexplained(pipeline: Pipeline) -> None:
    """A topic that was filled and never read is no clean audit."""
    assert await pipeline.figures() == {Figure.UNEXPLAINED: len([*read_file(EXAMPLES / "day.jsonl")])}


async def test_a_decision_without_a_record_is_unexplained(pipeline: Pipeline) -> None:
    """Of a partition that does not exist."""
    stray = msgspec.structs.replace(pipeline.at_intake[0], event_id="lab.procedures:99:0:0")
    pipeline.at_intake.append(stray)
    await pipeline.write()
    assert await pipeline.figures() == {Figure.UNEXPLAINED: 1}


async def test_a_lost_charge_is_missing(pipeline: Pipeline) -> None:
    """In the ledger's state and in the model, not among the billing events."""
    account = next(account for account in pipeline.ledger.accounts.values() if account.billing_events)
    account.billing_events.pop()
    await pipeline.write()
    assert (await pipeline.figures())[Figure.MISSING] > 0


async def test_billing_events_written_twice_are_doubled(pipeline: Pipeline) -> None:
    """Every charge twice: as many doubled as there are charges, or more."""
    for account in pipeline.ledger.accounts.values():
        account.billing_events += account.billing_events
    await pipeline.write()
    assert (await pipeline.figures())[Figure.DOUBLED] > 20


async def test_a_state_that_lost_a_day_is_unexplained(pipeline: Pipeline) -> None:
    """The changelog must hold every charge that stands, or the next restore would charge again."""
    day = next(day for day, state in pipeline.ledger.days.items() if state.units)
    del pipeline.ledger.days[day]
    await pipeline.write()
    assert Figure.UNEXPLAINED in await pipeline.figures()


async def test_a_missing_topic_is_told_in_one_line(settings: Settings) -> None:
    """The topics are named, and the command that makes them."""
    with pytest.raises(ReadingError, match=r"no topic .*: create them with perdiem topics create"):
        await audit_topics(settings)
