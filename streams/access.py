"""Access: who looked at a patient, and who gave a command, on a topic that is only ever added to."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.errors import PerdiemError
from streams.settings import Settings
from streams.topics import Topics

_WITHIN = 10.0
_CLOSED_WITHIN = 2.0
"""Seconds that somebody waits for their page while Kafka does not answer."""


class AccessLogError(PerdiemError):
    """What was done cannot be noted: then it is not done."""


class Did(StrEnum):
    LOGIN = "login"
    LOOK = "look"
    """At a page that shows patients unmasked."""
    COMMAND = "command"


class Access(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look or act of a person. No patient's id stands in it, ``about`` is opaque."""

    time: str
    """ISO 8601, UTC."""
    user: str
    role: str
    did: Did
    page: str
    """The page's path with names for what differs: ``/patient-days/{day}``."""
    about: str | None = None
    """The opaque id of the page, the item or the event."""


class AccessLog:
    """Writes each access before what it is about is shown or done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = Topics.of(settings).access.name
        self._producer: Any = None
        self._starting = asyncio.Lock()

    async def write(self, user: str, role: str, did: Did, page: str, about: str | None = None) -> None:
        """Raises ``AccessLogError`` if Kafka does not take it in time."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        access = Access(time=time, user=user, role=role, did=did, page=page, about=about)
        try:
            # By itself an idempotent producer would try for as long as Kafka is away.
            async with asyncio.timeout(_WITHIN):
                producer = await self._started()
                await producer.send_and_wait(self._topic, msgspec.json.encode(access), user.encode())
        except (KafkaError, OSError) as error:
            if isinstance(error, KafkaError) and not error.retriable:
                await self.close()  # it would refuse whatever comes after, too: the next begins with another
            raise AccessLogError(f"the access cannot be noted: {type(error).__name__}") from None

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._settings.kafka(), enable_idempotence=True, acks="all")
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer

    async def close(self) -> None:
        """While Kafka is away what nobody was shown is given up: an idempotent producer waits for ever."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.stop(), _CLOSED_WITHIN)
