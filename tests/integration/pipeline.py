"""The example day, and what the pipeline would write for it, without a worker."""

from pathlib import Path

from models.billing import Decision, encode_billing_event, encode_decision
from models.facilities_file import parse
from models.messages import Unreadable
from models.patient_day import encode_patient_day
from models.procedures import encode_procedure
from models.resolve import dead_letter, resolve
from streams.intake.json_procedures import read
from streams.kept import DAYS
from streams.partitioning import partition_of
from streams.play import play, read_file
from streams.reading import reader
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import Sent, produce
from tests.models.ledger import Ledger

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
            partition = partition_of(patient.encode(), self.settings.partitions)
            sent.append(
                Sent(self.topics.patient_days.name, encode_patient_day(state), key, partition=partition)
            )
        return sent

    async def write(self) -> None:
        await produce(self.settings, self.sent)
