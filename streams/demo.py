"""The demo: a Kafka, a worker and a day of three hospitals, from nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from models.billing import BillingEvent, Decision, Kind, decode_billing_event, decode_decision
from models.procedures import place
from streams.audit import Report, audit_topics
from streams.errors import PerdiemError
from streams.in_flight import wait_until_processed
from streams.local_kafka import LocalKafka, free_port
from streams.local_worker import LocalWorker
from streams.play import play, read_file
from streams.reading import reader
from streams.settings import Settings
from streams.topics import Topic, Topics, create
from streams.views.rights import Role
from streams.views.secret import Secret
from streams.views.tokens import new

EXAMPLES = Path(__file__).parent.parent / "examples"
_PARTITIONS = 4
_PROCESSED_WITHIN = 60.0


class DemoError(PerdiemError):
    """The demo cannot run here."""


class Demo:
    """A running installation of its own in ``folder``, with one worker."""

    def __init__(self, settings: Settings, worker: LocalWorker) -> None:
        self.settings = settings
        self.worker = worker

    def link(self) -> str:
        """Opens the worker's pages once, within ten minutes."""
        assert self.settings.web_secret is not None
        secret = Secret(self.settings.web_secret.get_secret_value())
        return f"{self.worker.url}/login?token={secret.link('demo', Role.ANALYST)}"

    def play(self) -> int:
        """Play the day and wait until it is processed; how many records it has."""
        sent = asyncio.run(play(self.settings, read_file(EXAMPLES / "day.jsonl")))
        asyncio.run(wait_until_processed(self.settings, seconds=_PROCESSED_WITHIN))
        return sent

    def audit(self) -> Report:
        return asyncio.run(audit_topics(self.settings))

    def standing(self) -> list[BillingEvent]:
        """The charges as they stand, by patient, date and service."""
        return asyncio.run(_standing(self.settings))

    def not_charged(self) -> list[Decision]:
        """The latest decision of every event that no charge stands for, by event."""
        return asyncio.run(_not_charged(self.settings))


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """Start Kafka, topics and a worker in ``folder``; stop them in the end.

    Raises DemoError, LocalKafkaError and LocalWorkerError in one line each.
    """
    if not EXAMPLES.is_dir():
        raise DemoError(f"the demo needs the examples of the source tree: {EXAMPLES} is missing")
    with LocalKafka(folder / "kafka") as kafka:
        settings = Settings.isolated(
            brokers=kafka.brokers,
            facilities=EXAMPLES / "facilities.toml",
            data_dir=folder / "worker",
            partitions=_PARTITIONS,
            web_port=free_port(),
            web_secret=SecretStr(new()),
        )
        asyncio.run(create(settings))
        worker = LocalWorker(settings, folder / "worker.log")
        process = worker.start()
        try:
            worker.wait_ready()
            yield Demo(settings, worker)
        finally:
            process.stop()


async def _values(settings: Settings, topic: Topic) -> AsyncIterator[bytes]:
    async with reader(settings) as source:
        async for records in source.read(await source.spans(topic.name)):
            for record in records:
                yield record.value


async def _not_charged(settings: Settings) -> list[Decision]:
    latest: dict[str, Decision] = {}
    async for value in _values(settings, Topics.of(settings).decisions):
        decision = decode_decision(value)
        latest[decision.event_id] = decision
    return [latest[event] for event in sorted(latest, key=place) if latest[event].charge_id is None]


async def _standing(settings: Settings) -> list[BillingEvent]:
    standing: dict[str, BillingEvent] = {}
    async for value in _values(settings, Topics.of(settings).billing_events):
        event = decode_billing_event(value)
        if event.kind is Kind.CHARGE:
            standing[event.charge_id] = event
        else:
            del standing[event.charge_id]
    return sorted(
        standing.values(),
        key=lambda charge: (charge.patient, charge.service_date, charge.code, charge.stream),
    )
