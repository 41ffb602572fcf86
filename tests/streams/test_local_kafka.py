"""What Kafka on this machine needs, told before Java starts."""

import shutil
from collections import namedtuple
from pathlib import Path

import jgo
import pytest

from streams.local_kafka import LocalKafka, LocalKafkaError

Usage = namedtuple("Usage", "total used free")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less than 1 GB free it does not start, and says why."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, (1 << 30) - 1))
    with pytest.raises(LocalKafkaError, match="less than 1 GB of disk space is free"):
        LocalKafka(tmp_path).start()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A data folder where a file stands in the way is one line that names it."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalKafkaError, match="file/kafka: a folder that can be written expected"):
        LocalKafka(tmp_path / "file" / "kafka").start()


def test_jars_that_cannot_be_fetched_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, and without jars from before, the line says what was to be fetched from where."""

    def offline(endpoint: str) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(jgo, "build", offline)
    with pytest.raises(
        LocalKafkaError, match=r"^Apache Kafka 4\.1\.0 could not be fetched from Maven Central: no"
    ):
        LocalKafka(tmp_path).start()
