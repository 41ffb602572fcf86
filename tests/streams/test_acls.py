"""The list of what each role needs on the brokers, without a broker."""

from pathlib import Path

from aiokafka import TopicPartition
from typer.testing import CliRunner

from streams.acls import Operation, Resource, acls, document
from streams.cli import app
from streams.once.owner import transactional_id
from streams.roles import Role
from streams.settings import Settings
from streams.topics import Topics

DOCUMENT = Path(__file__).parents[2] / "docs" / "acls.md"


def test_the_documented_acls_are_the_real_ones() -> None:
    """docs/acls.md says what the code does; `make docs` renews it."""
    assert DOCUMENT.read_text() == document()


def test_nobody_but_a_worker_writes_more_than_its_own_source_topic() -> None:
    """Each role has a principal of its own: systems state, billing answers, people decide, the rest look."""
    settings = Settings.isolated()
    written = {
        role: {
            name
            for acl in acls(settings, role)
            if acl.resource is Resource.TOPIC and Operation.WRITE in acl.operations
            for name in acl.names
        }
        for role in Role
        if role is not Role.WORKER
    }
    assert {role: names for role, names in written.items() if names} == {
        Role.SOURCE: {"lab.procedures", "infusion.procedures"},
        Role.BILLING: {"billing.acks"},
        Role.DECIDER: {"perdiem.commands"},
    }


def test_a_worker_may_use_every_topic_of_its_agents() -> None:
    """It reads what they read, and keeps their state."""
    settings = Settings.isolated()
    topics = [acl for acl in acls(settings, Role.WORKER) if acl.resource is Resource.TOPIC]
    readable = {name for acl in topics if Operation.READ in acl.operations for name in acl.names}
    writable = {name for acl in topics if Operation.WRITE in acl.operations for name in acl.names}
    for states in Topics.of(settings).agents.values():
        assert {*states} <= readable
        assert {state.name for state in states.values()} <= readable & writable


def test_the_transactional_ids_of_a_worker_are_all_covered() -> None:
    """They begin as the list says, under any name of the installation."""
    settings = Settings.isolated(app_id="site-a")
    [acl] = [acl for acl in acls(settings, Role.WORKER) if acl.resource is Resource.TRANSACTIONAL_ID]
    assert acl.prefixed
    for agent in Topics.of(settings).agents:
        used = transactional_id(settings.app_id, agent, TopicPartition("lab.procedures", 7))
        assert used.startswith(acl.names)


def test_the_list_is_said_as_commands_of_kafka() -> None:
    """`perdiem topics acls ROLE` is ready to be pasted: names as they are set, the principal quoted."""
    printed = CliRunner().invoke(
        app,
        ["topics", "acls", "auditor", "--principal", "User:CN=audit desk"],
        env={"PERDIEM_TOPIC_PREFIX": "site-a.", "PERDIEM_APP_ID": "site-a"},
    )
    first, second = printed.stdout.splitlines()
    assert first.startswith(
        "kafka-acls.sh --bootstrap-server 127.0.0.1:9092 --add --allow-principal 'User:CN=audit desk' "
        "--operation Read --topic site-a.lab.procedures --topic site-a.infusion.procedures "
    )
    assert second.endswith("--operation Describe --group site-a")
    prefixed = CliRunner().invoke(app, ["topics", "acls", "worker"]).stdout.splitlines()[-1]
    assert prefixed.endswith(
        "--allow-principal User:worker --operation Write --resource-pattern-type prefixed "
        "--transactional-id perdiem-intake- --transactional-id perdiem-ledger- "
        "--transactional-id perdiem-holds- --transactional-id perdiem-identity-"
    )
