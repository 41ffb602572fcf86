"""The command line of those who decide, from what they see to what comes of it."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.billing import Outcome
from models.entries import Opening, decode_entry
from streams.cli import app
from streams.local_worker import environment
from streams.why import EVENT_ID
from tests.integration.live import Live, said
from tests.kafka import read_all

pytestmark = pytest.mark.integration

NINETY = {"mrn": "90", "assigning_authority": "LAKE"}
SURE = ("--reason", "seen", "--user", "ada", "--yes")


def run(live: Live, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment(live.settings))


def take(live: Live, value: bytes) -> str:
    [event] = asyncio.run(live.take([value]))
    return event


def test_what_is_held_is_seen_released_and_told(live: Live) -> None:
    """Listed with what is missing; released it is charged, and the person is told so."""
    event = take(live, said("K1", patient={"mrn": "4711", "assigning_authority": "NOBODY"}))
    [item] = json.loads(run(live, "holds", "list", "--json").output)
    assert (item["id"], item["field"]) == (event, "patient.assigning_authority")
    assert "4711" not in run(live, "holds", "show", event).output
    fill = ("--fill", "patient.assigning_authority=LAKE")
    told = run(live, "holds", "release", event, *fill, *SURE)
    assert told.exit_code == 0, told.output
    assert f"release {event}: applied. Now reported. Its charge stands." in told.output
    assert json.loads(run(live, "holds", "list", "--json").output) == []
    again = run(live, "holds", "release", event, *SURE)
    assert str(again.exception) == f"{event}: is released already"


def test_what_still_is_held_is_told_with_what_is_missing(live: Live) -> None:
    """The release is refused, and the command fails; rejected then, it is told by `perdiem why`."""
    event = take(live, said("K2", code=None, charge_code="0815"))
    told = run(live, "holds", "release", event, "--fill", "charge_code=0816", *SURE)
    assert told.exit_code == 1
    assert "refused. What it names still does not resolve" in told.output
    assert "charge_code: expected" in told.output
    told = run(live, "holds", "reject", event, *SURE)
    assert told.exit_code == 0
    asyncio.run(live.processed())
    why = run(live, "why", event).output
    assert "3. now: rejected" in why
    command = [word for word in why.split() if ".commands:" in word][-1].rstrip(",")
    assert EVENT_ID.fullmatch(command)
    assert f"Brought about by {command}, reject by ada" in why
    why = run(live, "why", command).output
    assert "reject by ada" in why
    assert event in why


def test_a_dead_letter_is_seen_redriven_and_told(live: Live, tmp_path: Path) -> None:
    """As it is it fails again; as it should have been it is charged."""
    event = take(live, said("K3", status="done"))
    assert event in run(live, "dead-letters", "list", "--reason", "unreadable").output
    told = run(live, "dead-letters", "redrive", event, *SURE)
    assert told.exit_code == 1
    assert "status: expected" in told.output
    file = tmp_path / "record.json"
    file.write_bytes(said("K3"))
    told = run(live, "dead-letters", "redrive", event, "--value", str(file), *SURE)
    assert told.exit_code == 0, told.output
    assert "Now reported." in told.output


def test_an_opening_balance_is_loaded_once(live: Live, tmp_path: Path) -> None:
    """The second time the ledger hears the same ids again: two equal lines are two units."""
    file = tmp_path / "opening.csv"
    line = "LAKE|0099,facility,collection,2025-03-10\n"
    file.write_text(f"patient,stream,service,service_date\n{line}{line}")
    for outcome in ("applied", "repeated"):
        told = run(live, "opening-balance", str(file), *SURE)
        assert told.exit_code == 0, told.output
        assert told.output.endswith(f"2 commands: {outcome}\n")
        assert told.output.startswith("Load 2 units of 1 patient, service dates 2025-03-10 to 2025-03-10\n")
    records = asyncio.run(read_all(live.settings, live.topics.procedures.name))
    openings = [entry for each in records if isinstance(entry := decode_entry(each.value), Opening)]
    assert len(openings) == 4
    assert {entry.patient for entry in openings} == {"LAKE|99"}
    assert len({entry.name for entry in openings}) == 2


def test_an_override_is_allowed_and_taken_back_by_its_id(live: Live) -> None:
    """What was allowed is found among the commands."""
    unit = ("--stream", "facility", "--service", "collection", "--date", "2025-03-10")
    told = run(live, "override", "allow", "LAKE|0098", *unit, *SURE)
    assert told.exit_code == 0, told.output
    name = told.output.splitlines()[0].split()[-1]
    told = run(live, "override", "take-back", name, *SURE)
    assert told.output.startswith("Take back one unit of collection on 2025-03-10")
    assert told.exit_code == 0
    told = run(live, "merge", "undo", name, *SURE)
    assert str(told.exception) == f"{name}: no command `merge` has this id"


def test_a_merge_shows_how_many_charges_it_concerns(live: Live) -> None:
    """Those that stand: of a patient that was merged none stands any more."""
    withdrawn = said("K6", patient=NINETY, status="withdrawn", version=2)
    for value in (said("K5", patient=NINETY), said("K6", patient=NINETY, code="38228"), withdrawn):
        take(live, value)
    for charges in ("1 standing charge", "0 standing charges"):
        told = run(live, "merge", "LAKE|0090", "LAKE|91", *SURE)
        assert told.output.splitlines()[1].startswith(f"{charges} of LAKE|90 now: LAKE|91 would have")
        asyncio.run(live.processed())


def test_where_no_worker_decides_the_wait_ends(live: Live) -> None:
    """It is said where to look later. The last test: it stops the worker."""
    event = take(live, said("K4", code=None, charge_code="0815"))
    live.worker.process.stop()
    told = run(live, "holds", "reject", event, *SURE, "--wait", "1")
    assert "nothing was decided yet, see perdiem why" in told.output
    assert str(told.exception) == "1 of 1 not decided in time: does a worker run?"
    live.worker.start()
    live.worker.wait_ready()
    asyncio.run(live.processed())
    decisions = asyncio.run(live.decisions())[event]
    assert max(decisions, key=lambda made: made.sequence).outcome is Outcome.REJECTED
