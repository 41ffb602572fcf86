"""A running worker, what to send to it, and what it wrote."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from models.billing import BillingEvent, Decision, decode_billing_event, decode_decision
from streams.in_flight import wait_until_processed
from streams.local_kafka import free_port
from streams.local_worker import WORKER, LocalWorker
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import BOUND, Sent, produce, read_all

LAB = "lab.procedures"


def said(procedure_id: str, **fields: Any) -> bytes:
    """A collection at the first example hospital, as its lab states it; a patient for each procedure."""
    stated = {
        "sending_application": "CELLLAB",
        "sending_facility": "lakeside",
        "patient": {"mrn": f"9{procedure_id}", "assigning_authority": "LAKE"},
        "procedure_id": procedure_id,
        "version": 1,
        "status": "performed",
        "performed": {"start": "2025-03-10T09:00:00"},
        "code": "38225",
    }
    return json.dumps(stated | fields).encode()


@contextmanager
def running(settings: Settings, log: Path, command: Sequence[str] = WORKER) -> Iterator[LocalWorker]:
    """A worker that is ready; it is stopped in the end."""
    worker = LocalWorker(settings, log, command)
    process = worker.start()
    try:
        worker.wait_ready()
        yield worker
    finally:
        process.stop()


@contextmanager
def both_running(
    settings: Settings, folder: Path, command: Sequence[str] = WORKER
) -> Iterator[tuple[LocalWorker, LocalWorker]]:
    """Two workers of one installation that are ready; they are stopped in the end."""
    other = settings.model_copy(update={"data_dir": folder / "other", "web_port": free_port()})
    with (
        running(settings, folder / "one.log", command) as one,
        running(other, folder / "other.log", command) as second,
    ):
        both_ready(one, second)
        yield one, second


def both_ready(one: LocalWorker, other: LocalWorker) -> None:
    """Wait until both are ready at once: partitions move, and while one gets ready, the other one is not."""
    one.wait_ready()
    other.process.wait_until(lambda: one.ready() and other.ready(), BOUND)


class Live:
    """An installation with a running worker."""

    def __init__(self, worker: LocalWorker) -> None:
        self.worker = worker
        self.topics = Topics.of(worker.settings)

    @property
    def settings(self) -> Settings:
        return self.worker.settings

    async def take(self, values: Iterable[bytes | Sent | None], partition: int | None = None) -> list[str]:
        """Write records to the lab's topic, wait until they are processed; their event ids."""
        records = [
            value if isinstance(value, Sent) else Sent(LAB, value, b"lab", partition=partition)
            for value in values
        ]
        prefix = self.settings.topic_prefix
        places = await produce(self.settings, [sent._replace(topic=prefix + sent.topic) for sent in records])
        await self.processed()
        return [":".join(map(str, (*place, 0))) for place in places]

    async def processed(self) -> None:
        await wait_until_processed(self.settings, seconds=BOUND)

    async def decisions(self) -> dict[str, list[Decision]]:
        """Every decision in the order written, by event id."""
        found: dict[str, list[Decision]] = defaultdict(list)
        for record in await read_all(self.settings, self.topics.decisions.name):
            decision = decode_decision(record.value)
            found[decision.event_id].append(decision)
        return found

    async def billing_events(self) -> list[BillingEvent]:
        records = await read_all(self.settings, self.topics.billing_events.name)
        return [decode_billing_event(record.value) for record in records]

    async def aside(self, topic: str) -> dict[str, ConsumerRecord]:
        """What was held or became a dead letter, by event id."""
        return {
            dict(record.headers)["perdiem-event-id"].decode(): record
            for record in await read_all(self.settings, topic)
        }
