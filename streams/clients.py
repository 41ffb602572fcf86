"""Clients of Kafka: started, closed, and in one line what Kafka does not do for them."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.errors import PerdiemError
from streams.settings import Settings

C = TypeVar("C")


class BrokersError(PerdiemError):
    """No broker answers, or they refuse what was asked."""


@asynccontextmanager
async def connected(settings: Settings, make: Callable[..., C], **more: Any) -> AsyncIterator[C]:
    """A started client of class ``make`` of aiokafka, with ``more`` arguments; closed in the end.

    Whatever Kafka fails to do for it, then or later, raises ``BrokersError`` in one line.
    """
    client: Any = make(**settings.kafka(), **more)
    try:
        try:
            await client.start()
            yield client
        finally:
            # aiokafka's admin client has its own word for it.
            await (client.close() if hasattr(client, "close") else client.stop())
    except KafkaConnectionError:
        raise BrokersError(f"PERDIEM_BROKERS: no Kafka answers at {settings.brokers}") from None
    except KafkaError as error:
        raise BrokersError(f"PERDIEM_BROKERS: {settings.brokers}: {type(error).__name__}") from error


async def partitions(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, list[int]]:
    """The partitions of each of ``topics``. Raises ``BrokersError`` that names all that are missing."""
    cluster = await client.fetch_all_metadata()  # asking for one by name waits for it, or creates it
    found = {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    missing = [topic for topic, numbers in found.items() if not numbers]
    if missing:
        raise BrokersError(f"no topic {', '.join(missing)} (perdiem topics create makes those of Perdiem)")
    return found
