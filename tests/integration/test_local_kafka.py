"""Kafka on this machine, as the demo and the tests use it."""

import os
import signal
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


async def test_records_outlive_a_broker_that_was_killed(tmp_path: Path) -> None:
    """A killed broker starts again on its folder and port, and what was acknowledged is there."""
    with LocalKafka(tmp_path) as kafka:
        settings = Settings.isolated(brokers=kafka.brokers, partitions=1)
        await create(settings)
        topic = Topics.of(settings).lab_procedures.name
        await produce(settings, [Sent(topic, b"kept")])
        kafka.kill()
        assert kafka.pid is None
        kafka.start()
        assert [record.value for record in await read_all(settings, topic)] == [b"kept"]
    assert not answers(kafka.port)


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, brokers: str) -> None:
    """Whoever has Kafka's port already is not disturbed, and the line names the port."""
    port = int(brokers.rsplit(":", 1)[1])
    with pytest.raises(LocalKafkaError, match=f"^port {port} on 127.0.0.1 cannot be used: .*in use$"):
        LocalKafka(tmp_path, port).start()


def test_the_command_stops_cleanly_when_asked(tmp_path: Path) -> None:
    """SIGTERM stops `perdiem kafka` and its broker, with exit code 0."""
    port = free_port()
    process = started(tmp_path, port)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_broker_dies_with_its_parent(tmp_path: Path) -> None:
    """No Java is left behind when the process that started it is killed."""
    process = started(tmp_path, free_port())
    (java,) = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    java.wait(10)
