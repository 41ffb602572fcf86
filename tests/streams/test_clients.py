"""Clients of Kafka say in one line what Kafka does not do for them, and leave nothing open."""

import gc
import warnings
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import InvalidTopicError

from streams.clients import BrokersError, connected
from streams.in_flight import wait_until_processed
from streams.local_kafka import free_port
from streams.play import play
from streams.settings import Settings


@pytest.fixture
def nobody() -> Settings:
    """Settings that name a port on which nobody listens."""
    return Settings.isolated(brokers=f"127.0.0.1:{free_port()}")


@pytest.mark.parametrize("make", [AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient])
async def test_a_kafka_that_is_down_is_one_line_and_nothing_stays_open(nobody: Settings, make: Any) -> None:
    """The line names the setting and where nobody answers; no client complains that it was not closed."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(BrokersError, match=f"^PERDIEM_BROKERS: no Kafka answers at {nobody.brokers}$"):
            async with connected(nobody, make):
                pass
        gc.collect()
    assert not [said for said in complaints if issubclass(said.category, ResourceWarning)]


async def test_what_plays_or_waits_tells_a_kafka_that_is_down(nobody: Settings) -> None:
    """`perdiem play` and `perdiem audit --wait` end as every other command does."""
    for tried in (play(nobody, []), wait_until_processed(nobody, seconds=60)):
        with pytest.raises(BrokersError, match="no Kafka answers"):
            await tried


class _Open:
    """A client that starts and stops, without Kafka."""

    def __init__(self, **_: Any) -> None:
        self.open = False

    async def start(self) -> None:
        self.open = True

    async def stop(self) -> None:
        self.open = False


async def test_what_kafka_refuses_later_is_one_line_too(nobody: Settings) -> None:
    """The kind of refusal is named, and the client is closed."""
    with pytest.raises(BrokersError, match=r"^PERDIEM_BROKERS: .*: InvalidTopicError$"):
        async with connected(nobody, _Open) as client:
            raise InvalidTopicError
    assert not client.open
