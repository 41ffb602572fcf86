"""What the simulation of years says should stand is what the rule makes of its records."""

import gc
import tracemalloc
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from models.facilities_file import parse
from streams.courses import EVENTS
from streams.simulate import read_expected, write
from streams.years import FIRST_YEAR, Years
from tests.streams.test_simulate import EXAMPLE, played
from tests.verdict import stands


def test_the_expected_charges_stand() -> None:
    """Neither one more nor one less, over the change of the codes with 2025 and the turn of every year."""
    simulation = Years(6, seed=3, patients=40)
    ledger, at_intake = played([*simulation.records()], parse(EXAMPLE.read_text()))
    written = [event for account in ledger.accounts.values() for event in account.billing_events]
    assert stands(written) == sorted(simulation.charges())
    assert not at_intake
    assert {charge.code for charge in simulation.charges()} >= {"0537T", "38225"}


def test_a_course_is_told_in_as_many_events_as_a_large_centre_sends() -> None:
    """Each patient's: with statements sent again, corrected and withdrawn, over weeks."""
    records = [*Years(1, seed=1, patients=50).records()]
    by_patient = Counter(record["value"]["account_number"].split("-")[0] for record in records)
    assert {*by_patient.values()} == {EVENTS}
    said = [(record["value"]["procedure_id"], record["value"]["version"]) for record in records]
    assert len({*said}) < len(said)
    assert {record["value"]["status"] for record in records} == {
        "performed",
        "in_progress",
        "not_performed",
        "withdrawn",
    }


def test_a_year_has_its_own_courses() -> None:
    """They begin in it, and end in it or early in the next; the patients of two years are others."""
    simulation = Years(2, seed=1, patients=60)
    first, second = ([*simulation.charges_of(number)] for number in range(2))
    assert {charge.service_date.year for charge in first} == {FIRST_YEAR, FIRST_YEAR + 1}
    assert max(charge.service_date for charge in first) < date(FIRST_YEAR + 1, 4, 1)
    assert {charge.patient for charge in first}.isdisjoint(charge.patient for charge in second)
    assert [*simulation.charges()] == first + second


def test_some_records_come_late_and_none_before_it_was_sent() -> None:
    """The order is that of delivery: a message may be sent weeks before the one that comes before it."""
    sent = [record["value"]["sent"] for record in Years(1, seed=1, patients=50).records()]
    latest, behind = sent[0], 0
    for each in sent:
        behind += each < latest
        latest = max(latest, each)
    assert len(sent) * 0.05 < behind < len(sent) * 0.9


def test_the_same_seed_gives_the_same_records() -> None:
    """A file can be made again, a year alone as well as among others; another seed makes another."""
    once, again, other = ([*Years(2, seed, patients=9).records()] for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert once == [record for year in range(2) for record in Years(9, 1, patients=9).records_of(year)]


def test_memory_does_not_grow_with_the_years() -> None:
    """Three years hold no more of what was sent than the first."""
    simulation = Years(3, seed=1, patients=60)
    records: Any = simulation.records()
    peaks = []
    tracemalloc.start()
    for _ in range(3):
        gc.collect()  # what other tests left behind is collected at any moment, or is not
        tracemalloc.reset_peak()
        assert sum(1 for _ in islice(records, 60 * EVENTS)) == 60 * EVENTS
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[2] < peaks[0] * 1.3


def test_years_are_written_with_their_charges_beside_them(tmp_path: Path) -> None:
    """As days are: JSON lines for `perdiem play`."""
    written = write(Years(1, seed=1, patients=5), tmp_path / "years.jsonl")
    assert written.records == len((tmp_path / "years.jsonl").read_bytes().splitlines()) == 5 * EVENTS
    assert len(read_expected(tmp_path / "years.jsonl")) == written.charges > 5 * 4


@pytest.mark.parametrize("seed", range(5))
def test_a_course_fits_into_its_events_whatever_the_seed(seed: int) -> None:
    """No course is cut, and none says more."""
    assert sum(1 for _ in Years(1, seed, patients=30).records()) == 30 * EVENTS
