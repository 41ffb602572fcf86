"""The list of what each role needs on the brokers, without a broker."""

from pathlib import Path

from aiokafka import TopicPartition
from typer.testing import CliRunner

from streams.acls import Operation, Resource, acls, document
from streams.cli import app
from streams.once.owner import transactional_id
from streams.roles import Role
from streams.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "acls.md"


def test_the_documented_acls_are_the_real_ones() -> None:
    """docs/acls.md says what the code does; `make docs` renews it."""
    assert DOCUMENT.read_text() == document()


def test_nobody_but_a_worker_and_the_sources_may_write() -> None:
    """Each role has a principal of its own, and all but these two only look, or make topics."""
    settings = Settings.isolated()
    writers = {role for role in Role for acl in acls(settings, role) if Operation.WRITE in acl.operations}
    assert writers == {Role.WORKER, Role.SOURCE}


def test_the_transactional_ids_of_a_worker_are_all_covered() -> None:
    """They begin as the list says, under any name of the installation."""
    settings = Settings.isolated(app_id="site-a")
    [acl] = [acl for acl in acls(settings, Role.WORKER) if acl.resource is Resource.TRANSACTIONAL_ID]
    assert acl.prefixed
    for agent in ("intake", "ledger"):
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
        "--transactional-id perdiem-intake- --transactional-id perdiem-ledger-"
    )
