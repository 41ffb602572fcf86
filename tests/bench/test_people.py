"""Where people at the pages go."""

import logging
from itertools import islice

import pytest

from bench.load import FACILITIES
from bench.pages import PEOPLE, order, patients
from bench.people import LIVE, SEARCH, SEARCHING, Links, routes, steps
from streams.play import Record
from streams.settings import Settings

ROUTES = ["/days/{date}.csv", "/days", "/days/{date}", "/find", "/live", "/patients/{patient}"]


def test_people_follow_links_that_they_have_seen() -> None:
    """A page under a name is opened only where another page leads to it."""
    links = Links(ROUTES)
    assert links.address("/patients/{patient}") is None
    links.see('<a href="/patients/abc#x">one</a> <a href="https://elsewhere/patients/no">no</a>')
    links.see('<a href="/days/2025-03-10?facility=a&amp;x=1">a day</a>')
    assert links.address("/patients/{patient}") == "/patients/abc"
    assert links.address("/days/{date}") == "/days/2025-03-10?facility=a&x=1"
    assert links.address("/days") == "/days"


def test_a_link_belongs_to_the_page_that_answers_it() -> None:
    """A file of a day is no day: whichever page was added first has it."""
    links = Links(ROUTES)
    links.see('<a href="/days/2025-03-10.csv">')
    assert links.address("/days/{date}.csv") == "/days/2025-03-10.csv"
    assert links.address("/days/{date}") is None


def test_a_round_has_every_page_once() -> None:
    """And a search after its form, but not what is held open."""
    one = [*islice(steps(ROUTES, 0), 6)]
    assert {*one} == {*ROUTES, SEARCHING} - {LIVE}
    assert one[one.index(SEARCH) + 1] == SEARCHING


def test_people_do_not_all_open_the_same_page() -> None:
    """Each begins the round elsewhere."""
    assert len({next(steps(ROUTES, number)) for number in range(6)}) == 6


def test_the_pages_are_those_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is added is measured from then on."""
    monkeypatch.setattr(logging, "setLogRecordFactory", lambda factory: None)
    settings = Settings.isolated(brokers="127.0.0.1:1", facilities=FACILITIES, web_secret="x" * 40)
    assert {"/", LIVE, SEARCH, "/days/{date}", "/patient-days/{day}", "/metrics"} <= {*routes(settings)}


def test_runs_with_and_without_people_alternate() -> None:
    """Neither is always the one that a warm or a tired machine has."""
    assert [order(pair) for pair in range(3)] == [(0, PEOPLE), (PEOPLE, 0), (0, PEOPLE)]


def test_people_look_for_patients_that_are_there() -> None:
    """Each once, in the order of the records."""
    keys = [b"a|1", b"a|2", b"a|1"]
    assert patients([Record("t", key, b"", []) for key in keys]) == ["a|1", "a|2"]
