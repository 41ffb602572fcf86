"""Who looked is on a topic before they see anything."""

import asyncio
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from streams import access
from streams.access import Access, AccessLog, AccessLogError, Did
from streams.local_kafka import LocalKafka
from streams.settings import Settings
from streams.topics import Topics, create
from tests.kafka import read_all

pytestmark = pytest.mark.integration


@pytest.mark.skipif("PERDIEM_TEST_BROKERS" in os.environ, reason="stops a broker, and that one is given")
async def test_a_kafka_that_stops_answering_lets_nobody_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told within the time-out; once Kafka answers again accesses are noted again."""
    with LocalKafka(tmp_path) as kafka:
        settings = Settings.isolated(brokers=kafka.brokers, partitions=1)
        await create(settings)
        accesses = AccessLog(settings)
        await accesses.write("anna", "analyst", Did.LOOK, "/a", "opaque")
        monkeypatch.setattr(access, "_WITHIN", 2.0)
        assert kafka.pid is not None
        os.kill(kafka.pid, signal.SIGSTOP)
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(AccessLogError, match="cannot be noted"):
                await accesses.write("anna", "analyst", Did.LOOK, "/b")
        assert time.monotonic() - begun < 6
        os.kill(kafka.pid, signal.SIGCONT)
        await asyncio.sleep(1)
        monkeypatch.setattr(access, "_WITHIN", 30.0)
        await accesses.write("anna", "analyst", Did.COMMAND, "/c")
        await accesses.close()
        records = await read_all(settings, Topics.of(settings).access.name)
        kafka.kill()
    noted = [msgspec.json.decode(record.value, type=Access) for record in records]
    assert (noted[0].page, noted[0].did, noted[0].about) == ("/a", Did.LOOK, "opaque")
    assert noted[-1].page == "/c"
    assert {record.key for record in records} == {b"anna"}
