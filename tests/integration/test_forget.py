"""What is older than a date is counted, and a command sent for each patient who has any of it."""

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest

from models.commands import Forget, command
from models.patient import Patient, encode_patient
from streams.kept import PATIENTS
from streams.local_worker import environment
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import Sent, produce, read_all
from tests.streams.cli.deciding import Desk

pytestmark = pytest.mark.integration

OLD, KEPT = date(2015, 6, 1), date(2016, 1, 1)
FORGET = ("forget", "--before", KEPT.isoformat(), "--reason", "retention")
NOBODY_DECIDES = ("--yes", "--wait", "0")
STATES = {
    "LAKE|1": [Patient(places={"a": OLD, "b": KEPT})],
    "LAKE|2": [Patient(places={"a": OLD}), Patient(places={"a": OLD}, left=(date(2014, 1, 1),))],
    "BAY|00000003": [Patient(places={"a": KEPT})],
    "BAY|00000004": [Patient(places={"a": OLD}), Patient(expired_before=KEPT)],
}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


@pytest.fixture(autouse=True)
async def kept(settings: Settings, topics: Topics) -> None:
    """What the ledger keeps of four patients, two of whom have days to forget."""
    states = [
        Sent(
            topics.patient_days.name,
            encode_patient(state),
            PATIENTS + patient.encode(),
            partition=partition_of(patient.encode(), settings.partitions),
        )
        for patient, known in STATES.items()
        for state in known
    ]
    other = Sent(topics.patient_days.name, b"{}", b"position", partition=0)
    await produce(settings, [*states, other])


async def test_each_patient_with_days_before_the_date_is_forgotten_by_one_command(
    settings: Settings, topics: Topics
) -> None:
    """It says who, why and before when; sent twice, it is the same command."""
    said = perdiem(settings, *FORGET, "--user", "ada", *NOBODY_DECIDES, code=2)
    assert "2 patients with 3 days before 2016-01-01." in said
    assert "2 of 2 not decided in time: does a worker run? The same again does no harm" in said
    perdiem(settings, *FORGET, "--user", "bob", *NOBODY_DECIDES, code=2)
    sent = [command.validate_json(record.value) for record in await read_all(settings, topics.commands.name)]
    told = [each for each in sent if isinstance(each, Forget)]
    assert Counter((each.patient, each.before, each.reason) for each in told) == {
        ("LAKE|1", KEPT, "retention"): 2,
        ("LAKE|2", KEPT, "retention"): 2,
    }
    assert len({each.id for each in told}) == 2
    assert {each.user for each in told} == {"ada", "bob"}


@pytest.mark.parametrize(("code", "how"), [(0, ("--dry-run",)), (1, ()), (0, ("--yes",))])
async def test_nothing_is_sent_unless_a_person_agrees(
    settings: Settings,
    topics: Topics,
    code: int,
    how: tuple[str, ...],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What there is, is shown first, with what stays in other topics; no patient's id is."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    told = await asyncio.to_thread(desk.run, *FORGET, *how, terminal=True, answer="n\n")
    said = told.output
    assert told.exit_code == code
    assert "2 patients with 3 days" in said
    assert ("Do this? [y/N]" in said) is (not how)
    assert topics.lab_procedures.name in said
    assert topics.billing_events.name in said
    assert not any(authority in said for authority in ("LAKE|", "BAY|"))
    assert len(desk.sent) == (2 if how == ("--yes",) else 0)


async def test_where_nobody_can_be_asked_yes_must_be_said(settings: Settings, topics: Topics) -> None:
    """One line, and nothing is sent."""
    said = perdiem(settings, *FORGET, answer="y\n", code=2)
    assert said == "perdiem: --yes expected: there is no terminal to ask on\n"
    assert "expected" in perdiem(settings, *FORGET[:3], code=2)
    assert await read_all(settings, topics.commands.name) == []


async def test_a_date_younger_than_the_retention_is_refused_without_force(settings: Settings) -> None:
    """The line names the setting; with --force it is counted like any other."""
    settings = settings.model_copy(update={"retention_years": 100})
    said = perdiem(settings, *FORGET, "--dry-run", code=2)
    assert "2016-01-01 is less than 100 years ago (PERDIEM_RETENTION_YEARS)" in said
    assert "2 patients" in perdiem(settings, *FORGET, "--dry-run", "--force")


def perdiem(settings: Settings, *arguments: str, answer: str = "", code: int = 0) -> str:
    """What the command line prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        env=environment(settings),
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr
