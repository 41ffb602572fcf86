"""ACLs: what each party needs on the brokers, and no more. docs/acls.md comes from here."""

import shlex
from collections.abc import Iterable, Iterator
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import NamedTuple

from streams.markdown import page
from streams.roles import Role
from streams.settings import Settings
from streams.topics import Topic, Topics


class Operation(IntEnum):
    """By Kafka's codes. Whoever may read or write may describe, too."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10

    @property
    def word(self) -> str:
        """As kafka-acls.sh takes it."""
        return self.name.title().replace("_", "")

    @property
    def bit(self) -> int:
        """As Kafka tells a client what it may do."""
        return 1 << self


class Resource(StrEnum):
    """As kafka-acls.sh names its options."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class Acl(NamedTuple):
    """Leave to do ``operations`` on the resources of these names."""

    resource: Resource
    names: tuple[str, ...]
    operations: tuple[Operation, ...]
    why: str
    prefixed: bool = False
    """Each name stands for all that begin with it."""


def acls(settings: Settings, role: Role) -> list[Acl]:
    """What ``role`` needs."""
    topics, group = Topics.of(settings), settings.app_id
    read, write, create = Operation.READ, Operation.WRITE, Operation.CREATE
    describe, configs = Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS
    match role:
        case Role.WORKER:
            agents = topics.agents
            between = [topics.procedures, topics.held, topics.dead_letters, topics.identifiers]
            states = [state for each in agents.values() for state in each.values()]
            outputs = (topics.decisions, topics.billing_events)
            return [
                _topics(topics.sources, (read, configs), "take in procedures, commands, acknowledgements"),
                _topics(between, (read, write, configs), "pass them on"),
                _topics(states, (read, write, configs), "keep and restore state"),
                _topics(outputs, (write, configs), "say what became of them"),
                _topics([topics.access], (write, configs), "note who looked at a patient"),
                _topics([topics.commands], (write,), "give the commands of people who decide on its pages"),
                _topics([topics.decisions], (read,), "tell them what came of these"),
                Acl(Resource.GROUP, (group,), (read,), "share the partitions, commit offsets"),
                Acl(
                    Resource.TRANSACTIONAL_ID,
                    tuple(f"{group}-{agent}-" for agent in agents),
                    (write,),
                    "commit each unit of work once, fence a former owner",
                    prefixed=True,
                ),
            ]
        case Role.SOURCE:
            # A line each: nobody needs both.
            return [
                _topics([topics.lab_procedures], (write,), "the cell lab states procedures"),
                _topics([topics.infusion_procedures], (write,), "the infusion unit states procedures"),
            ]
        case Role.BILLING:
            return [
                _topics(
                    (topics.billing_events, topics.decisions),
                    (read,),
                    "take over charges and credits, and their reasons",
                ),
                Acl(Resource.GROUP, (f"{group}-billing",), (read,), "remember how far that is"),
                _topics([topics.acks], (write,), "say what it did with each charge"),
            ]
        case Role.DECIDER:
            shown = (topics.held, topics.dead_letters, topics.holds, topics.redrives)
            stated = (topics.lab_procedures, topics.infusion_procedures)
            told = (topics.decisions, topics.billing_events, topics.procedures)
            return [
                _topics([topics.commands], (read, write), "decide, and find what was decided before"),
                _topics(shown, (read,), "`perdiem holds`, `alerts` and `dead-letters`, `tail`"),
                _topics(told, (read,), "see what came of it, `perdiem why`"),
                _topics([topics.patient_days], (read,), "`perdiem forget` and `merge`: whom they concern"),
                _topics(stated, (read,), "`perdiem replay`: what another facilities file makes of it"),
            ]
        case Role.AUDITOR:
            return [
                _topics(topics.all, (read,), "`perdiem audit`, `reconcile`, `why`, `episode` and `tail`"),
                Acl(Resource.GROUP, (group,), (describe,), "`perdiem audit --wait`, `reconcile --wait`"),
            ]
        case Role.CREATOR:
            made = (create, describe, configs)
            return [_topics(topics.all, made, "`perdiem topics create` and `check`")]


def lines(settings: Settings, role: Role, principal: str) -> Iterator[str]:
    """The commands that give ``principal`` what ``role`` needs."""
    for acl in acls(settings, role):
        command = ["kafka-acls.sh", "--bootstrap-server", settings.brokers, "--add"]
        command += ["--allow-principal", principal]
        command += [word for operation in acl.operations for word in ("--operation", operation.word)]
        if acl.prefixed:
            command += ["--resource-pattern-type", "prefixed"]
        yield shlex.join(command + [word for name in acl.names for word in (f"--{acl.resource}", name)])


def document() -> str:
    """docs/acls.md: what each role needs, with the default names."""
    settings = Settings.model_construct()
    rows = [
        (
            role,
            f"{acl.resource}{' prefix' if acl.prefixed else ''}",
            _listed(acl.names),
            ", ".join(operation.word for operation in acl.operations),
            acl.why,
        )
        for role in Role
        for acl in acls(settings, role)
    ]
    return page(TEXT, ("role", "resource", "names", "operations", "in order to"), rows)


def _topics(topics: Iterable[Topic], operations: tuple[Operation, ...], why: str) -> Acl:
    return Acl(Resource.TOPIC, tuple(topic.name for topic in topics), operations, why)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


TEXT = """\
# Access to the brokers

Written by `make docs`. What each role needs, and no more; `perdiem topics acls ROLE` says it as
commands, with your names. Read and Write include Describe. How to connect: [security.md](security.md)."""

if __name__ == "__main__":
    Path("docs/acls.md").write_text(document())
