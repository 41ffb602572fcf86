"""On a Kafka with TLS, SCRAM and ACLs each party does its part with what is listed for it, and no more."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from models.billing import Outcome
from models.commands import Reject
from streams.acls import Operation, Resource, acls
from streams.audit import audit_topics
from streams.clients import AccessError, BrokersError, connected
from streams.commands import carry_out, stamp
from streams.in_flight import wait_until_processed
from streams.local_worker import LocalWorker, environment
from streams.once.failure import EXIT_FAILED, EXIT_REFUSED
from streams.play import play, read_file
from streams.reading import reader
from streams.roles import Role
from streams.settings import Settings
from streams.simulate import read_expected
from streams.topics import Topics, create
from streams.why import of_event
from streams.worklist import every, held
from tests.integration.pipeline import EXAMPLES
from tests.kafka import BOUND
from tests.secured import ADMIN, PASSWORD, Secured, secured_kafka
from tests.verdict import verdict

pytestmark = pytest.mark.integration

DAY = EXAMPLES / "day.jsonl"
SOURCES, BETWEEN, STATES, OUTPUTS, _ACCESS, _COMMANDS, _DECISIONS, GROUP, TRANSACTIONS = range(9)
"""What a worker needs, in the order of the list."""
NEEDED = [
    (number, operation)
    for number, acl in enumerate(acls(Settings.isolated(), Role.WORKER))
    for operation in acl.operations
]

LOST = [
    (SOURCES, Operation.READ),
    (BETWEEN, Operation.READ),
    (BETWEEN, Operation.WRITE),
    (STATES, Operation.WRITE),
    (OUTPUTS, Operation.WRITE),
    (GROUP, Operation.READ),
    (TRANSACTIONS, Operation.WRITE),
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Every role has what it needs, the creator has created the topics, and the example day is played."""
    with secured_kafka(tmp_path_factory.mktemp("secured")) as secured:
        asyncio.run(secured.grant_all())
        asyncio.run(create(secured.as_role(Role.CREATOR)))
        asyncio.run(play(secured.as_role(Role.SOURCE), read_file(DAY)))
        yield secured


@pytest.fixture
def worker(secured: Secured, tmp_path: Path) -> Iterator[LocalWorker]:
    """A worker that is not started yet. In the end its log holds no password and no traceback."""
    worker = LocalWorker(secured.as_role(Role.WORKER), tmp_path / "worker.log")
    yield worker
    worker.process.kill()
    said = worker.log.read_text()
    assert PASSWORD not in said
    assert "Traceback" not in said


async def refused(worker: LocalWorker) -> list[str]:
    """What ``worker`` says as it ends by itself with exit 4: a line for each thing that it lacks."""
    assert await asyncio.to_thread(worker.process.wait, BOUND) == EXIT_REFUSED
    lines = worker.log.read_text().splitlines()
    said = [line.removeprefix("perdiem: ") for line in lines if line.startswith("perdiem: ")]
    assert lines[-len(said) :] == [f"perdiem: {line}" for line in said]
    return said


async def audited(secured: Secured) -> bool:
    """Wait until all is processed, and audit it, as the auditor."""
    auditor = secured.as_role(Role.AUDITOR)
    await wait_until_processed(auditor, seconds=BOUND)
    return (await audit_topics(auditor)).clean


async def billed(secured: Secured) -> int:
    """How many billing events the billing system reads, in its group."""
    settings = secured.as_role(Role.BILLING)
    how: dict[str, Any] = {"isolation_level": "read_committed", "auto_offset_reset": "earliest"}
    how["group_id"] = f"{settings.app_id}-billing"
    count = 0
    async with connected(settings, AIOKafkaConsumer, **how) as consumer, asyncio.timeout(BOUND):
        consumer.subscribe([Topics.of(settings).billing_events.name])
        while count < len(read_expected(DAY)):
            count += sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))
        await consumer.commit()
    return count


async def test_the_pipeline_runs_with_what_is_listed(secured: Secured, worker: LocalWorker) -> None:
    """Creator, source, worker, auditor and billing each do their part, and the audit is clean."""
    worker.settings = worker.settings.model_copy(update={"log_level": "debug"})
    worker.start()
    await asyncio.to_thread(worker.wait_ready)
    assert await audited(secured)
    assert await billed(secured) >= len(read_expected(DAY))
    assert worker.process.stop() == 0
    assert (await verdict(secured.as_role(ADMIN))).standing == read_expected(DAY)


async def read(settings: Settings, topic: str) -> None:
    async with reader(settings) as source:
        async for _ in source.read(await source.spans(topic)):
            pass


async def test_nobody_may_do_what_is_another_s(secured: Secured) -> None:
    """A source reads nothing, an auditor writes nothing, billing sees no state: each is told in one line."""
    topics = Topics.of(secured.as_role(ADMIN))
    with pytest.raises(AccessError, match=rf"^not allowed: Read on topic {topics.lab_procedures.name}$"):
        await read(secured.as_role(Role.SOURCE), topics.lab_procedures.name)
    with pytest.raises(AccessError, match=r"^not allowed: Write on any topic$"):
        await play(secured.as_role(Role.AUDITOR), read_file(DAY))
    auditor = secured.as_role(Role.AUDITOR)
    [group] = [acl for acl in acls(auditor, Role.AUDITOR) if acl.resource is Resource.GROUP]
    async with secured.without(Role.AUDITOR, group):
        with pytest.raises(AccessError, match=r"^not allowed: Describe on group "):
            await wait_until_processed(auditor, seconds=BOUND)
    with pytest.raises(BrokersError, match=rf"^no topic {topics.patient_days.name} to be seen"):
        await read(secured.as_role(Role.BILLING), topics.patient_days.name)


@pytest.mark.parametrize(("number", "operation"), NEEDED)
async def test_a_worker_that_lacks_an_acl_names_it_as_it_starts(
    secured: Secured, worker: LocalWorker, number: int, operation: Operation
) -> None:
    """A line with operation and resource, and exit 4; it does not wait for the first dead letter to tell."""
    acl = acls(worker.settings, Role.WORKER)[number]._replace(operations=(operation,))
    async with secured.without(Role.WORKER, acl):
        worker.start()
        lines = await refused(worker)
    missing = f"not allowed: {operation.word} on {acl.resource.replace('-', ' ')} "
    if acl.resource is Resource.TOPIC:
        assert lines == [f"{missing}{name}" for name in acl.names]
    else:
        [line] = lines
        assert line.rpartition(missing)[2].startswith(acl.names)


async def test_a_worker_that_loses_an_acl_while_it_works_names_it_and_loses_no_record(
    secured: Secured, worker: LocalWorker
) -> None:
    """One line and exit 4, whichever it is; once it is given again the next start goes on where it was."""
    needed = acls(worker.settings, Role.WORKER)
    for number, operation in LOST:
        worker.start()
        await asyncio.to_thread(worker.wait_ready)
        async with secured.without(Role.WORKER, needed[number]._replace(operations=(operation,))):
            await play(secured.as_role(Role.SOURCE), read_file(DAY))
            [line] = await refused(worker)
        missing = f"not allowed: {operation.word} on {needed[number].resource.replace('-', ' ')} "
        assert line.rpartition(missing)[2].startswith(needed[number].names)
        worker.log.unlink()
    worker.start()
    await asyncio.to_thread(worker.wait_ready)
    assert await audited(secured)


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "password": (
        {"sasl_password": SecretStr(PASSWORD[::-1])},
        EXIT_REFUSED,
        "PERDIEM_SASL_USERNAME, PERDIEM_SASL_PASSWORD: refused by {brokers}",
    ),
    "authority": (
        {"ssl_cafile": None},
        EXIT_REFUSED,
        "PERDIEM_SSL_CAFILE: the certificate of {brokers} is not trusted: "
        "unable to get local issuer certificate",
    ),
    "mechanism": (
        {"sasl_mechanism": "PLAIN"},
        EXIT_REFUSED,
        "PERDIEM_SASL_MECHANISM: PLAIN is not offered by {brokers}",
    ),
    "no TLS": (
        {"security_protocol": "SASL_PLAINTEXT", "ssl_cafile": None},
        EXIT_FAILED,
        "PERDIEM_SECURITY_PROTOCOL: {brokers} ends the connection: does it speak SASL_PLAINTEXT?",
    ),
    "neither": (
        {
            "security_protocol": "PLAINTEXT",
            "ssl_cafile": None,
            "sasl_mechanism": None,
            "sasl_username": None,
            "sasl_password": None,
        },
        EXIT_FAILED,
        "PERDIEM_SECURITY_PROTOCOL: {brokers} ends the connection: does it speak PLAINTEXT?",
    ),
    "no SASL": (
        {"security_protocol": "SSL", "sasl_mechanism": None, "sasl_username": None, "sasl_password": None},
        EXIT_FAILED,
        "PERDIEM_SECURITY_PROTOCOL: {brokers} ends the connection: does it speak SSL?",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_whom_the_brokers_do_not_let_in_is_told_why(
    secured: Secured, worker: LocalWorker, tmp_path: Path, what: str
) -> None:
    """The setting is named, for a worker and for every other command; neither quotes a password."""
    wrong, exit_code, line = WRONG[what]
    line = "perdiem: " + line.format(brokers=worker.settings.brokers)
    worker.settings = worker.settings.model_copy(update=wrong)
    worker.start()
    assert worker.process.wait(BOUND) == exit_code
    assert worker.last_line() == line
    said = worker.log.read_text()
    assert said.count("perdiem: ") == 1
    command = [sys.executable, "-m", "streams.cli", "topics", "check"]
    run = subprocess.run(
        command, env=environment(worker.settings), capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"{line}\n")
    assert PASSWORD[::-1] not in said


def test_passwords_may_come_from_files(secured: Secured, tmp_path: Path) -> None:
    """As Docker and Kubernetes hand secrets over: the file has the variable's name."""
    (tmp_path / "PERDIEM_SASL_PASSWORD").write_text(f"{PASSWORD}\n")
    settings = environment(secured.as_role(Role.CREATOR))
    del settings["PERDIEM_SASL_PASSWORD"]
    settings["PERDIEM_SECRETS_DIR"] = str(tmp_path)
    command = [sys.executable, "-m", "streams.cli", "topics", "check"]
    run = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


async def test_a_person_decides_with_what_is_listed(secured: Secured, worker: LocalWorker) -> None:
    """Sees what waits, decides, sees what came of it, and may not do what is a source's."""
    worker.start()
    await asyncio.to_thread(worker.wait_ready)
    decider = secured.as_role(Role.DECIDER)
    await wait_until_processed(secured.as_role(Role.AUDITOR), seconds=BOUND)
    [item, *_] = await held(decider, every)
    said = Reject(item=item, **stamp("ada", "seen"))
    [came] = [came async for came in carry_out(decider, [said], seconds=BOUND)]
    assert came.decision is not None
    assert came.decision.outcome is Outcome.APPLIED
    assert (await of_event(decider, came.event_id)).order == said
    with pytest.raises(AccessError, match=r"^not allowed: Write on "):
        await play(decider, read_file(DAY))


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "--what-if", str(EXAMPLES / "facilities.toml"), "--apply", "--reason", "seen", "--yes"),
        ("merge", "LAKE|4711", "LAKE|4712", "--reason", "seen", "--yes"),
        ("alerts", "list"),
        ("dead-letters", "list"),
        ("forget", "--before", "2025-12-31", "--force", "--reason", "retention", "--yes"),
    ],
    ids=lambda command: command[0],
)
def test_a_person_runs_every_command_that_decides(
    secured: Secured, worker: LocalWorker, command: tuple[str, ...]
) -> None:
    """With what is listed for the decider, and no more."""
    worker.start()
    worker.wait_ready()
    run = subprocess.run(
        [sys.executable, "-m", "streams.cli", *command],
        env=environment(secured.as_role(Role.DECIDER)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, "not allowed" in run.stderr) == (0, False), run.stderr
