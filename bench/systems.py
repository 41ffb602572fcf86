"""Systems: what is measured, and how each is started."""

import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import FACILITIES
from bench.peers.once_per_key import Given
from streams.child import Child
from streams.errors import PerdiemError
from streams.local_kafka import VERSION, free_port
from streams.local_worker import LocalWorker
from streams.settings import TOPIC_FIELDS, Settings

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "build" / "bench" / "bin" / "python"
"""quixstreams lives in an environment of its own: it would decide versions of what Perdiem needs."""
STREAMS_JARS = f"org.apache.kafka:kafka-streams:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
SOURCES = ("topic_lab_procedures", "topic_infusion_procedures")
LEDGER_SOURCE = ("topic_procedures",)


class BenchError(PerdiemError):
    """Something that is measured did not do what it should: which, and where its log is."""


@dataclass(frozen=True)
class Run:
    """One run of one system: it reads topics that all runs share, and writes topics of its own."""

    name: str
    settings: Settings
    folder: Path
    workers: int

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"


def run_of(
    name: str, brokers: str, folder: Path, *, shared: Mapping[str, str], partitions: int, workers: int
) -> Run:
    """A run whose topics are its own, but for those that ``shared`` names by their field in Settings."""
    named: dict[str, Any] = {
        field: f"{name}.{Settings.model_fields[field].default}" for field in TOPIC_FIELDS
    }
    named |= shared
    settings = Settings(
        app_id=name,
        brokers=brokers,
        facilities=FACILITIES,
        data_dir=folder / name,
        partitions=partitions,
        web_port=free_port(),
        **named,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return Run(name, settings, folder, workers)


@dataclass(frozen=True)
class System:
    """Something that reads procedure events and writes decisions."""

    name: str
    label: str
    """What the tables call it."""
    start: Callable[[Run], list[Child]]
    reads: tuple[str, ...] = LEDGER_SOURCE
    """The fields of Settings that name its sources."""
    workers: int = 1
    limit: float = math.inf
    """Seconds from its first decision; a slow one is measured on what it did."""
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot run on this machine, if so."""


def perdiem(run: Run) -> list[Child]:
    """The first worker's pages are where the settings of ``run`` say."""
    more = [run.settings.model_copy(update={"web_port": free_port()}) for _ in range(run.workers - 1)]
    return [LocalWorker(settings, run.log).start() for settings in (run.settings, *more)]


def _peer(run: Run, command: list[str], **more: str) -> list[Child]:
    given = Given(
        brokers=run.settings.brokers,
        group=run.settings.app_id,
        source=run.settings.topic_procedures,
        billing=run.settings.topic_billing_events,
        decisions=run.settings.topic_decisions,
        partitions=run.settings.partitions,
        folder=str(run.settings.data_dir),
    )
    told = {f"BENCH_{name.upper()}": str(value) for name, value in {**given._asdict(), **more}.items()}
    return [
        Child(command, run.log, folder=ROOT, environment={**os.environ, **told}) for _ in range(run.workers)
    ]


def faust(run: Run, guarantee: str, linger: float) -> list[Child]:
    command = [sys.executable, "-m", "bench.peers.faust_app", "worker", "--without-web", "-l", "warn"]
    return _peer(run, command, guarantee=guarantee, linger=str(linger))


def quixstreams(run: Run) -> list[Child]:
    return _peer(run, [str(PEERS), "-m", "bench.peers.quix_app"])


def kafka_streams(run: Run, threads: int) -> list[Child]:
    import jgo

    jars = ":".join(map(str, sorted(jgo.build(STREAMS_JARS).path.rglob("*.jar"))))
    source = str(ROOT / "bench" / "peers" / "KafkaStreamsOnce.java")
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    command = [shutil.which("java") or "java", "-Xmx1g", quiet, "-cp", jars, source]
    return _peer(run, command, threads=str(threads))


def _no_quixstreams() -> str | None:
    return None if PEERS.exists() else f"{PEERS} is missing: `make bench` makes it"


def _no_jdk() -> str | None:
    return None if shutil.which("javac") else "there is no JDK (javac) on this machine"


LEDGER = System("ledger", "Perdiem, ledger, full rule", perdiem)
PATH = System("path", "Perdiem, intake and ledger, full rule", perdiem, reads=SOURCES)
KAFKA_STREAMS = System(
    "kafka-streams", "Kafka Streams exactly_once_v2", partial(kafka_streams, threads=1), missing=_no_jdk
)
LEDGER_ALL_CORES = System(
    "ledger-all-cores", "Perdiem, ledger, a worker per core", perdiem, workers=os.cpu_count() or 1
)
KAFKA_STREAMS_ALL_CORES = System(
    "kafka-streams-all-cores",
    "Kafka Streams exactly_once_v2, a thread per core",
    partial(kafka_streams, threads=os.cpu_count() or 1),
    missing=_no_jdk,
)
QUIXSTREAMS = System("quixstreams", "quixstreams exactly-once", quixstreams, missing=_no_quixstreams)
FAUST_LIMIT = 25.0
FAUST_AT_LEAST_ONCE = System(
    "faust-at-least-once",
    "Faust at_least_once, tuned",
    partial(faust, guarantee="at_least_once", linger=0.1),
    limit=FAUST_LIMIT,
)
FAUST_EXACTLY_ONCE = System(
    "faust-exactly-once",
    "Faust exactly_once, tuned",
    partial(faust, guarantee="exactly_once", linger=0.1),
    limit=FAUST_LIMIT,
)
FAUST_AS_IT_IS = System(
    "faust-as-it-is",
    "Faust exactly_once, as it comes",
    partial(faust, guarantee="exactly_once", linger=0),
    limit=FAUST_LIMIT,
)
SYSTEMS = (
    LEDGER,
    PATH,
    KAFKA_STREAMS,
    LEDGER_ALL_CORES,
    KAFKA_STREAMS_ALL_CORES,
    QUIXSTREAMS,
    FAUST_AT_LEAST_ONCE,
    FAUST_EXACTLY_ONCE,
    FAUST_AS_IT_IS,
)
