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
INTAKE = "tables and position of intake"
HEADROOM = 64 << 10
"""Bytes that a dead letter may have more than its source record: the headers that say why; and its item."""


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
    source: bool = False
    """Taken in: each of its records must fit into a topic of ours as a dead letter."""

    @property
    def largest(self) -> int | None:
        """Bytes that a record may have; None where that is not ours to set."""
        if not self.ours:
            return None
        return MAX_MESSAGE - HEADROOM if self.source else MAX_MESSAGE

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
    commands: Topic
    acks: Topic
    procedures: Topic
    decisions: Topic
    billing_events: Topic
    held: Topic
    dead_letters: Topic
    identifiers: Topic
    access: Topic
    patient_days: Topic
    intake_lab: Topic
    intake_infusion: Topic
    intake_commands: Topic
    intake_acks: Topic
    holds: Topic
    redrives: Topic
    identities: Topic

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The topics under the names that ``settings`` gives them, prefix included."""

        def topic(
            name: str,
            key: str,
            value: str,
            *,
            compacted: bool = False,
            ours: bool = True,
            source: bool = False,
        ) -> Topic:
            return Topic(settings.topic_prefix + name, key, value, compacted, ours, source)

        def state(name: str, value: str) -> Topic:
            return topic(name, "table and key", value, compacted=True)

        return cls(
            lab_procedures=topic(
                settings.topic_lab_procedures,
                "any",
                "what the cell lab says of a procedure: ProcedureMessage",
                ours=False,
                source=True,
            ),
            infusion_procedures=topic(
                settings.topic_infusion_procedures,
                "any",
                "what the infusion unit says of a procedure: ProcedureMessage",
                ours=False,
                source=True,
            ),
            commands=topic(settings.topic_commands, "any", "what a person decides: Command", source=True),
            acks=topic(
                settings.topic_acks,
                "any",
                "what billing did with a charge: Ack",
                ours=False,
                source=True,
            ),
            procedures=topic(
                settings.topic_procedures,
                "patient",
                "ProcedureEvent and every other entry; the Decision on an event that may concern "
                "a standing charge",
            ),
            decisions=topic(settings.topic_decisions, "patient, else event id", "Decision"),
            billing_events=topic(settings.topic_billing_events, "patient", "BillingEvent"),
            held=topic(
                settings.topic_held,
                "item id: the event's",
                "the source record, with headers that say why; other items of the worklist; commands on them",
            ),
            dead_letters=topic(
                settings.topic_dead_letters,
                "that of the source record; of a command the event id",
                "the source record, with headers that say why; commands on it",
            ),
            identifiers=topic(
                settings.topic_identifiers,
                "procedure or product; of merges one for all",
                "under which patient it is stated; merges and their undoing",
            ),
            access=topic(
                settings.topic_access, "user", "who looked at a patient unmasked, who gave a command"
            ),
            patient_days=state(settings.topic_patient_days, "tables and position of the ledger"),
            intake_lab=state(settings.topic_intake_lab, INTAKE),
            intake_infusion=state(settings.topic_intake_infusion, INTAKE),
            intake_commands=state(settings.topic_intake_commands, INTAKE),
            intake_acks=state(settings.topic_intake_acks, INTAKE),
            holds=state(settings.topic_holds, "table worklist and position of holds: what is held, alerts"),
            redrives=state(settings.topic_redrives, "table worklist and position of holds: dead letters"),
            identities=state(settings.topic_identities, "tables and position of identity"),
        )

    @property
    def sources(self) -> tuple[Topic, ...]:
        """Where the source systems write, people, and billing."""
        return (self.lab_procedures, self.infusion_procedures, self.commands, self.acks)

    @property
    def intake_states(self) -> dict[str, Topic]:
        """Changelog of intake, by name of the source topic."""
        return {
            self.lab_procedures.name: self.intake_lab,
            self.infusion_procedures.name: self.intake_infusion,
            self.commands.name: self.intake_commands,
            self.acks.name: self.intake_acks,
        }

    @property
    def agents(self) -> dict[str, dict[str, Topic]]:
        """Of each agent: the topics that it reads, each with its changelog."""
        return {
            "intake": self.intake_states,
            "ledger": {self.procedures.name: self.patient_days},
            "holds": {self.held.name: self.holds, self.dead_letters.name: self.redrives},
            "identity": {self.identifiers.name: self.identities},
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
        await brokers.create(
            [
                NewTopic(
                    topic.name,
                    settings.partitions,
                    settings.replication,
                    topic_configs=topic.config | in_sync | _room(topic),
                )
                for topic in missing
            ]
        )
    return [topic.name for topic in missing]


def _room(topic: Topic) -> dict[str, str]:
    return {"max.message.bytes": str(topic.largest)} if topic.largest else {}


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
    if not topic.source and largest < MAX_MESSAGE:
        yield f"{topic.name}: max.message.bytes={MAX_MESSAGE} or more expected, it has {largest}"
    if topic.source and largest > MAX_MESSAGE - HEADROOM:
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
JSON, their schemas are in [schemas](schemas). Read everything but the four sources
(`lab.procedures`, `infusion.procedures`, `perdiem.commands`, `billing.acks`) with
`isolation.level=read_committed`.

What is put aside carries its Decision in the header `perdiem-decision`: the patient is named there, not
only in key and value. Tools that show headers show patients."""

if __name__ == "__main__":
    Path("docs/topics.md").write_text(document())
