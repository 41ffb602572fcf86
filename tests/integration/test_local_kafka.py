"""Kafka on this machine, as the demo and the tests use it."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from streams.local_kafka import LocalKafka, LocalKafkaError, answers, free_port
from streams.settings import Settings
from streams.topics import Topics, create
from tests.kafka import Sent, produce, read_all

pytestmark = pytest.mark.integration


def started(folder: Path, port: int) -> subprocess.Popen[str]:
    """`perdiem kafka`, once it says that it runs."""
    command = [sys.executable, "-m", "streams.cli", "kafka", "--port", str(port), "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert f"127.0.0.1:{port}" in process.stdout.readline()
    return process


async def test_records_outlive_a_kill_and_the_command_stops_when_asked(tmp_path: Path) -> None:
    """Killed, `perdiem kafka` leaves no Java and loses no record; asked by SIGTERM it ends, with 0."""
    port = free_port()
    settings = Settings.isolated(brokers=f"127.0.0.1:{port}", partitions=1)
    topic = Topics.of(settings).lab_procedures.name

    process = started(tmp_path, port)
    await create(settings)
    await produce(settings, [Sent(topic, b"kept")])
    (java,) = psutil.Process(process.pid).children()
    process.kill()
    if sys.platform != "linux":
        java.kill()  # only Linux tells a child of its parent's death
    process.wait(10)
    java.wait(10)

    process = started(tmp_path, port)
    assert [record.value for record in await read_all(settings, topic)] == [b"kept"]
    process.terminate()
    assert process.wait(60) == 0
    assert not answers(port)


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, brokers: str) -> None:
    """Whoever has Kafka's port already is not disturbed, and the line names the port."""
    port = int(brokers.rsplit(":", 1)[1])
    with pytest.raises(LocalKafkaError, match=f"^port {port} on 127.0.0.1 cannot be used: .*in use$"):
        LocalKafka(tmp_path, port).start()
