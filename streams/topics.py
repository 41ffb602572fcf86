"""Every topic: its name, what its keys and values are, how it is kept; made and checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiokafka.admin import NewTopic

from streams.brokers import TRANSACTION_VERSION, Brokers, Described
from streams.errors import PerdiemError
from streams.markdown import page
from streams.settings import Settings

FOR_EVER = "-1"
MAX_MESSAGE = 4 << 20
"""Bytes that a record of ours may have: Kafka's default of 1 MiB for a source, and what is said of it."""
HEADROOM = 64 << 10
"""Bytes that a dead letter may have more than its source record: the headers that say why."""


class TopicsError(PerdiemError):
    """The brokers or their topics are not as Perdiem needs them: one line for each mismatch."""


@dataclass(frozen=True)
class Topic:
    """One topic. ``key`` and ``value`` say in words what its records hold."""

    name: str
    key: str
    value: str
    compacted: bool = False
    """A changelog: of each key the last value is kept."""
    ours: bool = True
    """Written by Perdiem alone, and kept for ever. The others belong to the source systems."""

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings that the topic must have."""
        if self.compacted:
            return {"cleanup.policy": "compact"}
        kept = {"retention.ms": FOR_EVER, "retention.bytes": FOR_EVER} if self.ours else {}
        return {"cleanup.policy": "delete", **kept}


@dataclass(frozen=True)
class Topics:
    """The topics of one installation."""

    lab_procedures: Topic
    infusion_procedures: Topic
    procedures: Topic
    decisions: Topic
    billing_events: Topic
    held: Topic
    dead_letters: Topic
    patient_days: Topic
    intake_lab: Topic
    intake_infusion: Topic

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The topics under the names that ``settings`` gives them, prefix included."""

        def topic(name: str, key: str, value: str, *, compacted: bool = False, ours: bool = True) -> Topic:
            return Topic(settings.topic_prefix + name, key, value, compacted, ours)

        return cls(
            lab_procedures=topic(
                settings.topic_lab_procedures,
                "any",
                "what the cell lab says of a procedure: ProcedureMessage",
                ours=False,
            ),
            infusion_procedures=topic(
                settings.topic_infusion_procedures,
                "any",
                "what the infusion unit says of a procedure: ProcedureMessage",
                ours=False,
            ),
            procedures=topic(
                settings.topic_procedures,
                "patient",
                "ProcedureEvent, or the Decision of intake on an event that may concern a standing charge",
            ),
            decisions=topic(settings.topic_decisions, "patient, else event id", "Decision"),
            billing_events=topic(settings.topic_billing_events, "patient", "BillingEvent"),
            held=topic(settings.topic_held, "event id", "the source record, with headers that say why"),
            dead_letters=topic(
                settings.topic_dead_letters,
                "that of the source record",
                "the source record, with headers that say why",
            ),
            patient_days=topic(
                settings.topic_patient_days,
                "table and key",
                "tables patient_days, patients and refused; position of the ledger",
                compacted=True,
            ),
            intake_lab=topic(
                settings.topic_intake_lab,
                "table and key",
                "position of intake, and its window of dead letters",
                compacted=True,
            ),
            intake_infusion=topic(
                settings.topic_intake_infusion,
                "table and key",
                "position of intake, and its window of dead letters",
                compacted=True,
            ),
        )

    @property
    def sources(self) -> tuple[Topic, ...]:
        """Where the source systems write."""
        return (self.lab_procedures, self.infusion_procedures)

    @property
    def intake_states(self) -> dict[str, Topic]:
        """Changelog of intake, by name of the source topic."""
        return {
            self.lab_procedures.name: self.intake_lab,
            self.infusion_procedures.name: self.intake_infusion,
        }

    @property
    def all(self) -> tuple[Topic, ...]:
        """All of them, in the order of an event's way through them."""
        return tuple(vars(self).values())


async def create(settings: Settings) -> list[str]:
    """Create the topics that are missing; their names.

    Raises ``BrokersError`` if no broker answers, or if they refuse.
    """
    async with Brokers.connected(settings) as brokers:
        there = await brokers.topics()
        missing = [topic for topic in Topics.of(settings).all if topic.name not in there]
        in_sync = {"min.insync.replicas": str(settings.min_insync_replicas)}
        room = {"max.message.bytes": str(MAX_MESSAGE)}
        await brokers.create(
            [
                NewTopic(
                    topic.name,
                    settings.partitions,
                    settings.replication,
                    topic_configs=topic.config | in_sync | (room if topic.ours else {}),
                )
                for topic in missing
            ]
        )
    return [topic.name for topic in missing]


async def check(settings: Settings) -> None:
    """Raise ``TopicsError`` unless brokers and topics are as needed.

    Needed are: Kafka 4.0 or newer; every topic there, with ``settings.partitions`` partitions, so that
    the partition of a patient is the same number everywhere; changelogs compacted, the others not; our
    own kept for ever; no more in-sync replicas asked for than there are.
    Raises ``BrokersError`` if no broker answers.
    """
    topics = Topics.of(settings).all
    async with Brokers.connected(settings) as brokers:
        wrong = [
            f"broker {node}: Kafka 4.0 or newer expected, it is older" for node in await brokers.too_old()
        ]
        if not wrong and (level := await brokers.transaction_version()) < 2:
            wrong.append(
                f"Kafka's feature {TRANSACTION_VERSION}: level 2 expected, it is {level}: "
                f"kafka-features.sh upgrade --feature {TRANSACTION_VERSION}=2"
            )
        described = await brokers.describe({topic.name for topic in topics})
    for topic in topics:
        if topic.name in described:
            wrong += _mismatches(topic, described[topic.name], settings.partitions)
        else:
            wrong.append(f"{topic.name}: missing, `perdiem topics create` creates it")
    if wrong:
        raise TopicsError("\n".join(wrong))


def _mismatches(topic: Topic, described: Described, partitions: int) -> Iterator[str]:
    if described.partitions != partitions:
        yield (
            f"{topic.name}: {partitions} partitions expected (PERDIEM_PARTITIONS), it has"
            f" {described.partitions}"
        )
    for name, expected in topic.config.items():
        if described.config[name] != expected:
            yield f"{topic.name}: {name}={expected} expected, it has {described.config[name]}"
    largest = int(described.config["max.message.bytes"])
    if topic.ours and largest < MAX_MESSAGE:
        yield f"{topic.name}: max.message.bytes={MAX_MESSAGE} or more expected, it has {largest}"
    if not topic.ours and largest > MAX_MESSAGE - HEADROOM:
        yield (
            f"{topic.name}: max.message.bytes={MAX_MESSAGE - HEADROOM} or less expected, or a dead letter "
            f"would not fit; it has {largest}"
        )
    in_sync = int(described.config["min.insync.replicas"])
    if in_sync > described.replicas:
        yield (
            f"{topic.name}: min.insync.replicas={in_sync} expected to be at most its"
            f" {described.replicas} replicas"
        )


def document() -> str:
    """docs/topics.md: the topics under their default names."""
    rows = [
        (f"`{topic.name}`", topic.key, topic.value, _kept(topic))
        for topic in Topics.of(Settings.model_construct()).all
    ]
    return page(TEXT, ("topic", "key", "value", "kept"), rows)


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "the last value of each key"
    return "everything, for ever" if topic.ours else "as the brokers are set"


TEXT = """\
# Topics

Written by `make docs`. All have the same number of partitions (`PERDIEM_PARTITIONS`); Kafka's own
partitioner (murmur2 of the key) chooses one. Names can be set, see `perdiem settings`. Values are
JSON, their schemas are in [schemas](schemas). Read everything but the two sources with
`isolation.level=read_committed`."""

if __name__ == "__main__":
    Path("docs/topics.md").write_text(document())
