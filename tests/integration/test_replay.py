"""What another facilities file would make of the example day, and applying it."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from models.billing import Outcome
from models.commands import Command, Release, Restate, command
from models.facilities import Facilities
from models.facilities_file import parse
from models.procedures import ProcedureEvent, decode_procedure, encode_procedure
from models.resolve import resolve
from models.revision import Act, Order
from streams.commands import carry_out
from streams.facilities import read_facilities
from streams.intake.json_procedures import read
from streams.local_worker import environment
from streams.partitioning import partition_of
from streams.replay import replay
from streams.settings import Settings
from streams.topics import Topics
from tests.integration.live import Live, running, said
from tests.integration.pipeline import EXAMPLES, Pipeline
from tests.kafka import Sent, produce, read_all
from tests.models.ledger import Ledger
from tests.verdict import stands

pytestmark = pytest.mark.integration

ORDER = Order("f1", "ada", datetime(2026, 1, 1, tzinfo=UTC), "another contract")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Palmetto reports its services before the infusion itself, Bayview no physicians, and another code."""
    text = (EXAMPLES / "facilities.toml").read_text()
    for was, would_be in (
        ('pre_infusion = "in_product"\n', ""),
        ('streams = ["facility", "professional"]', 'revenue_codes = { administration = "0999" }'),
    ):
        assert was in text
        text = text.replace(was, would_be)
    path = tmp_path / "would-be.toml"
    path.write_text(text)
    return path


@pytest.fixture
async def written(pipeline: Pipeline) -> Pipeline:
    await pipeline.write()
    return pipeline


async def test_the_file_in_force_differs_in_nothing(written: Pipeline) -> None:
    """Not one charge, outcome or command."""
    async with replay(written.settings, EXAMPLES / "facilities.toml") as replayed:
        report = replayed.report
        assert report.resolved > len(written.procedures)
        for found in (report.charges, report.fields, report.outcomes, report.acts):
            assert not found
        assert [*replayed.commands(ORDER)] == []


async def test_the_differences_are_those_of_a_day_resolved_by_the_other_file(
    written: Pipeline, file: Path
) -> None:
    """What stood, less what would no longer, and what would: as many as the file makes of the whole day."""
    before = charges(written.ledger)
    after = charges(await whole_day(written, read_facilities(file)))
    async with replay(written.settings, file, examples=1000) as replayed:
        report = replayed.report
    effects = {
        effect: sum(count for (each, *_), count in report.charges.items() if each == effect)
        for effect in ("would_stand", "would_not_stand", "would_differ")
    }
    assert min(effects.values()) > 0
    assert len(before) + effects["would_stand"] - effects["would_not_stand"] == len(after)
    assert {facility for (effect, facility, _) in report.charges if effect == "would_stand"} == {"palmetto"}
    assert {facility for (effect, facility, _) in report.charges if effect != "would_stand"} == {"bayview"}
    assert report.fields.keys() == {"revenue_code"}
    assert report.outcomes[Outcome.IN_PRODUCT, Outcome.REPORTED] == effects["would_stand"]
    assert report.outcomes[Outcome.REPORTED, Outcome.NOT_OURS] == effects["would_not_stand"]


async def test_applied_it_stands_as_foretold_and_applied_again_nothing_differs(
    written: Pipeline, file: Path
) -> None:
    """Each statement is sent once, under the id it has; then the topics hold what the file makes of them."""
    should = charges(await whole_day(written, read_facilities(file)))
    async with replay(written.settings, file) as replayed:
        sent = [came async for came in carry_out(written.settings, replayed.commands(ORDER), seconds=0)]
        again = [told.id for told in replayed.commands(ORDER)]
        assert len(sent) == replayed.report.acts[Act.RESTATE] > 0
    commands = await commands_sent(written)
    assert sorted(told.id for told in commands) == sorted(again)
    anew = [*restated(commands)]
    for statement in anew:
        written.ledger.apply(statement)
    assert charges(written.ledger) == should
    topic = written.topics.procedures.name
    await produce(
        written.settings,
        [Sent(topic, encode_procedure(each), each.patient.encode()) for each in anew],
    )
    async with replay(written.settings, file) as replayed:
        for found in (replayed.report.charges, replayed.report.outcomes, replayed.report.acts):
            assert not found


async def test_what_is_held_and_would_resolve_is_released(written: Pipeline, tmp_path: Path) -> None:
    """A charge code that nobody had mapped is added to the file: the command names the held event."""
    waits = [made for made in written.at_intake if made.outcome is Outcome.HELD]
    text = (EXAMPLES / "facilities.toml").read_text()
    path = tmp_path / "mapped.toml"
    path.write_text(mapped(text, [made.event_id for made in waits], await records(written)))
    async with replay(written.settings, path) as replayed:
        assert replayed.report.acts.keys() == {Act.RELEASE}
        assert replayed.report.outcomes.total() == replayed.report.acts[Act.RELEASE] > 0
        told = [*replayed.commands(ORDER)]
    assert {each.item for each in told if isinstance(each, Release)} <= {made.event_id for made in waits}
    assert all(isinstance(each, Release) for each in told)


async def test_no_patient_is_shown_unless_that_is_asked_for(written: Pipeline, file: Path) -> None:
    """Neither to a person nor to a program."""
    patients = [*written.ledger.accounts]
    for how, shows in (([], False), (["--json"], False), (["--show-patients"], True)):
        shown = perdiem(written.settings, "replay", "--what-if", str(file), *how)
        assert any(patient in shown for patient in patients) is shows
    assert json.loads(perdiem(written.settings, "replay", "--what-if", str(file), "--json"))["resolved"] > 0
    assert await commands_sent(written) == []


async def test_a_file_that_the_workers_are_not_told_of_is_not_applied(written: Pipeline, file: Path) -> None:
    """PERDIEM_FACILITIES names the former one: nothing is sent. Once it names the new one, it is applied."""
    apply = ("replay", "--what-if", str(file), "--apply", "--reason", "another contract", "--yes")
    for left_out, line in ((-1, "--yes expected: there is no terminal to ask on"), (-3, "--reason: why")):
        refused = perdiem(written.settings, *apply[:left_out], code=2)
        assert refused.startswith(f"perdiem: {line}")
        assert refused.count("\n") == 1
    refused = perdiem(written.settings, *apply, code=2)
    assert "perdiem: PERDIEM_FACILITIES: a file of digest" in refused
    assert await commands_sent(written) == []
    there = written.settings.model_copy(update={"facilities": file})
    told = perdiem(there, *apply, "--wait", "0", code=2)
    sent = len(await commands_sent(written))
    assert sent > 0
    assert f"perdiem: {sent} of {sent} not decided in time: does a worker run?" in told


def perdiem(settings: Settings, *arguments: str, code: int = 0) -> str:
    """What the command line prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr if code else ended.stdout


def charges(ledger: Ledger) -> list[object]:
    return [*stands(event for account in ledger.accounts.values() for event in account.billing_events)]


async def records(pipeline: Pipeline) -> dict[str, tuple[bytes | None, int]]:
    """Value and time of each record that the sources sent, by event id."""
    names = [pipeline.topics.lab_procedures.name, pipeline.topics.infusion_procedures.name]
    return {
        f"{record.topic}:{record.partition}:{record.offset}:0": (record.value, record.timestamp)
        for record in await read_all(pipeline.settings, *names)
    }


async def whole_day(pipeline: Pipeline, facilities: Facilities) -> Ledger:
    """What the rule makes of the day with other facilities from the beginning."""
    ledger = Ledger()
    dead = {made.event_id for made in pipeline.at_intake if made.outcome is Outcome.DEAD_LETTERED}
    for event_id, (value, received) in (await records(pipeline)).items():
        if event_id not in dead:
            [message] = read(value)
            resolved = resolve(message, facilities, event_id=event_id, received=received)
            if isinstance(resolved, ProcedureEvent):
                ledger.apply(resolved)
    return ledger


async def commands_sent(pipeline: Pipeline) -> list[Command]:
    sent = await read_all(pipeline.settings, pipeline.topics.commands.name)
    for record in sent:
        assert record.partition == partition_of(record.key, pipeline.settings.partitions)
    return [command.validate_json(record.value) for record in sent]


def restated(commands: Iterable[Command]) -> Iterable[ProcedureEvent]:
    """As intake passes them on."""
    for number, told in enumerate(commands):
        assert isinstance(told, Restate)
        statement = decode_procedure(msgspec.json.encode(told.model_dump(mode="json")["statement"]))
        at = int(told.time.timestamp() * 1000)
        yield replace(statement, because=f"perdiem.commands:0:{number}:0", restated=at)


def mapped(text: str, event_ids: Iterable[str], sent: dict[str, tuple[bytes | None, int]]) -> str:
    """The file with the charge codes of these events mapped at the facility that sends them first."""
    for event_id in event_ids:
        [message] = read(sent[event_id][0])
        facilities = parse(text)
        home = facilities.source(message.sending_application or "", message.sending_facility or "")
        if home is None or not message.charge_code:
            continue
        entry = f'\n[[facilities.charges]]\nservice = "collection"\ncodes = ["{message.charge_code}"]\n'
        head, heading, rest = text.partition(f'[[facilities]]\nid = "{home[1].id}"')
        own, following, others = rest.partition("\n[[facilities]]\n")
        text = head + heading + own + entry + following + others
    return text


async def test_workers_apply_what_is_sent_and_release_what_was_held(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """The charge is credited and made anew, what was held is charged; then there is nothing left to apply."""
    text = (EXAMPLES / "facilities.toml").read_text()
    file = tmp_path / "changed.toml"
    lakeside = 'time_zone = "America/New_York"\n'
    more = lakeside + 'revenue_codes = { collection = "0999" }\n'
    file.write_text(text.replace(lakeside, more).replace('"8713822501"', '"8713822501", "NEW-CODE"'))
    settings = settings.model_copy(update={"data_dir": tmp_path / "stores"})
    with running(settings, tmp_path / "before.log") as worker:
        charged, held = await Live(worker).take([said("1"), said("2", code=None, charge_code="NEW-CODE")])
    changed = settings.model_copy(update={"facilities": file})
    apply = ("replay", "--what-if", str(file), "--apply", "--reason", "another contract", "--yes")
    with running(changed, tmp_path / "after.log") as worker:
        live = Live(worker)
        assert "2 commands: applied\n" in perdiem(changed, *apply)
        await live.processed()
        decisions, billed = await live.decisions(), await live.billing_events()
        assert "Nothing is to be applied." in perdiem(changed, *apply)
    assert [decision.outcome for decision in decisions[held]] == [Outcome.HELD, Outcome.REPORTED]
    assert [
        (event.kind, event.event_id, event.revenue_code) for event in billed if event.event_id == charged
    ] == [
        ("charge", charged, "0871"),
        ("credit", charged, "0871"),
        ("charge", charged, "0999"),
    ]
    assert [event.revenue_code for event in billed if event.event_id == held] == ["0999"]
    assert [decision.sequence for decision in decisions[charged]] == [1, 2]
