"""What the simulation says should stand is what the rule makes of its records."""

import base64
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.billing import Decision, Outcome
from models.facilities import Facilities
from models.facilities_file import parse
from models.messages import Unreadable
from models.resolve import resolve
from streams.intake.json_procedures import read
from streams.simulate import Simulation, SimulationError, read_expected, write
from streams.stories import STORIES
from tests.models.ledger import Ledger
from tests.verdict import stands

EXAMPLE = Path(__file__).parents[2] / "examples" / "facilities.toml"


@pytest.fixture(scope="module")
def facilities() -> Facilities:
    return parse(EXAMPLE.read_text())


def value(record: dict[str, Any]) -> bytes:
    if "value_base64" in record:
        return base64.b64decode(record["value_base64"])
    return msgspec.json.encode(record["value"])


def played(records: list[dict[str, Any]], facilities: Facilities) -> tuple[Ledger, Counter[Outcome]]:
    """Intake and ledger in memory; and how many of each outcome intake decided by itself."""
    ledger, at_intake = Ledger(), Counter[Outcome]()
    for offset, record in enumerate(records):
        try:
            messages = read(value(record))
        except Unreadable:
            at_intake[Outcome.DEAD_LETTERED] += 1
            continue
        for index, message in enumerate(messages):
            event_id = f"{record['topic']}:0:{offset}:{index}"
            resolved = resolve(message, facilities, event_id=event_id, received=offset)
            if isinstance(resolved, Decision):
                at_intake[resolved.outcome] += 1
            else:
                ledger.apply(resolved)
    return ledger, at_intake


@pytest.mark.parametrize(("patients", "days"), [(len(STORIES) * 3, 1), (20, 40)])
def test_the_expected_charges_stand(patients: int, days: int, facilities: Facilities) -> None:
    """Neither one more nor one less, whatever the stories, hospitals and spellings."""
    simulation = Simulation(patients, days, seed=7)
    ledger, _ = played([*simulation.records()], facilities)
    written = [event for account in ledger.accounts.values() for event in account.billing_events]
    assert stands(written) == sorted(simulation.expected)


def test_a_day_has_something_of_everything(facilities: Facilities) -> None:
    """Held, dead-lettered and not ours at intake; of the ledger each outcome that a source brings about."""
    ledger, at_intake = played([*Simulation(len(STORIES), 1, seed=7).records()], facilities)
    decided = {decision.outcome for account in ledger.accounts.values() for decision in account.decisions}
    people = {Outcome.REJECTED, Outcome.APPLIED, Outcome.REFUSED, Outcome.UNDONE}
    later = {Outcome.MOVED, Outcome.MERGED, Outcome.EXPIRED, *people}
    assert set(Outcome) - later - decided - set(at_intake) == set()


def test_the_same_seed_gives_the_same_records() -> None:
    """A file can be made again; another seed makes another."""
    once, again, other = ([*Simulation(9, 3, seed).records()] for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_every_story_is_told_on_a_single_day() -> None:
    """A simulated day with as many patients as stories misses none of them."""
    simulation = Simulation(len(STORIES), 1, seed=1)
    names = Counter(record["key"].rsplit("-", 1)[0] for record in simulation.records())
    assert len(names) == len(STORIES)


def test_the_example_day_is_what_the_simulation_makes(tmp_path: Path) -> None:
    """The committed day and its charges can be made again by `perdiem simulate --seed 2`."""
    write(Simulation(patients=24, days=1, seed=2), tmp_path / "day.jsonl")
    for name in ("day.jsonl", "day.expected.jsonl"):
        assert (tmp_path / name).read_bytes() == (EXAMPLE.parent / name).read_bytes()
    simulation = Simulation(24, 1, 2)
    assert [*simulation.records()]
    assert read_expected(EXAMPLE.parent / "day.jsonl") == sorted(simulation.expected)


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    """The file is named, and what the system says of it."""
    with pytest.raises(SimulationError, match=r"gone/day\.jsonl: No such file or directory$"):
        write(Simulation(1, 1, 1), tmp_path / "gone" / "day.jsonl")


@pytest.mark.parametrize("name", ["day.jsonl", "day.expected.jsonl"])
def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, name: str) -> None:
    """Neither of the two is touched, unless that is asked for."""
    kept = tmp_path / name
    kept.write_text("kept")
    with pytest.raises(SimulationError, match=f"{name}: is there already, --force overwrites it$"):
        write(Simulation(1, 1, 1), tmp_path / "day.jsonl")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "kept")]
    write(Simulation(1, 1, 1), tmp_path / "day.jsonl", overwrite=True)
    assert kept.read_text() != "kept"
