"""Clients of Kafka: started, closed, and in one line what Kafka does not do for them."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from ssl import SSLCertVerificationError, SSLError
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.errors import PerdiemError
from streams.kafka.denied import denied
from streams.settings import Settings

C = TypeVar("C")
_ASKED_MS = 5000


class BrokersError(PerdiemError):
    """No broker answers, or they refuse what was asked."""


class AccessError(BrokersError):
    """The brokers answer, and refuse who asks or how: asking again does not help."""


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
        raise await _why(settings) from None
    except KafkaError as error:
        topic = "Write" if make is AIOKafkaProducer else "Read"
        refused = denied(error, topic=topic, group="Describe")
        if refused:
            raise AccessError(refused) from None
        raise BrokersError(f"PERDIEM_BROKERS: {settings.brokers}: {type(error).__name__}") from error


async def _why(settings: Settings) -> BrokersError:
    """Why no broker serves us: aiokafka logs it, and raises only that it is so."""
    arguments = settings.kafka()
    for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers"), randomize=False):
        place = f"{host}:{port}"
        try:
            connection = await create_conn(host, port, request_timeout_ms=_ASKED_MS, **arguments)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        except SaslAuthenticationFailed:
            return AccessError(f"PERDIEM_SASL_USERNAME, PERDIEM_SASL_PASSWORD: refused by {place}")
        except UnsupportedSaslMechanismError:
            return AccessError(f"PERDIEM_SASL_MECHANISM: {settings.sasl_mechanism} is not offered by {place}")
        except SSLCertVerificationError as error:
            said = error.verify_message.rstrip(".")
            return AccessError(f"PERDIEM_SSL_CAFILE: the certificate of {place} is not trusted: {said}")
        except (KafkaConnectionError, ConnectionResetError, SSLError):
            spoken = settings.security_protocol
            return BrokersError(
                f"PERDIEM_SECURITY_PROTOCOL: {place} ends the connection: does it speak {spoken}?"
            )
        except (OSError, KafkaError, TimeoutError):
            continue
    return BrokersError(f"PERDIEM_BROKERS: no Kafka answers at {settings.brokers}")


async def partitions(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, list[int]]:
    """The partitions of each of ``topics``. Raises ``BrokersError`` that names all that are missing."""
    cluster = await client.fetch_all_metadata()  # asking for one by name waits for it, or creates it
    found = {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    missing = [topic for topic, numbers in found.items() if not numbers]
    if missing:
        raise BrokersError(
            f"no topic {', '.join(missing)} to be seen (perdiem topics create makes those of Perdiem)"
        )
    return found
