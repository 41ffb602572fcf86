"""Whoever acts says why, sees what will be done, and is asked; then is told what came of it."""

import getpass
from pathlib import Path

import pytest

from models.billing import Outcome, Reason
from models.worklist import Item, Kind
from tests.streams.cli.deciding import EVENT, LETTER, Desk

ACTS = {
    "release": ("holds", "release", EVENT),
    "reject": ("holds", "reject", EVENT),
    "close": ("alerts", "close", "alert-1"),
    "redrive": ("dead-letters", "redrive", LETTER),
    "discard": ("dead-letters", "discard", LETTER),
    "allow": (
        *("override", "allow", "UH|1", "--stream", "facility", "--service", "collection"),
        *("--date", "2025-03-10"),
    ),
    "merge": ("merge", "UH|1", "UH|2"),
}
SURE = ("--reason", "seen", "--yes")
EXAMPLE = Path(__file__).parents[3] / "examples" / "facilities.toml"


@pytest.fixture(autouse=True)
def waiting(desk: Desk) -> None:
    desk.items = [Item(id=EVENT, kind=Kind.HELD), Item(id="alert-1", kind=Kind.ALERT)]
    desk.letters = [Item(id=LETTER, kind=Kind.DEAD_LETTER)]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_without_a_reason(desk: Desk, act: str) -> None:
    """One line, and nothing is sent."""
    for reason in ((), ("--reason", " ")):
        told = desk.run(*ACTS[act], "--yes", *reason)
        assert str(told.exception) == "--reason: why, in a few words, expected"
        assert (told.output, desk.sent) == ("", [])


@pytest.mark.parametrize("act", ACTS)
def test_where_nobody_can_be_asked_yes_must_be_said(desk: Desk, act: str) -> None:
    """In a script without --yes nothing happens."""
    told = desk.run(*ACTS[act], "--reason", "seen")
    assert str(told.exception) == "--yes expected: there is no terminal to ask on"
    assert (told.output, desk.sent) == ("", [])


@pytest.mark.parametrize("act", ACTS)
def test_what_will_be_done_is_shown_before_it_is_done(desk: Desk, act: str) -> None:
    """Whoever says no has done nothing; whoever says yes has done one thing."""
    told = desk.run(*ACTS[act], "--reason", "seen", terminal=True, answer="n\n")
    assert (told.exit_code, desk.sent) == (1, [])
    assert "Do this? [y/N]" in told.output
    shown = told.output.splitlines()[0].lower()
    assert shown.startswith(act)
    told = desk.run(*ACTS[act], "--reason", "seen", terminal=True, answer="y\n")
    assert (told.exit_code, len(desk.sent)) == (0, 1)


@pytest.mark.parametrize("act", ACTS)
def test_a_command_says_who_and_why(desk: Desk, act: str) -> None:
    """Whoever uses this machine, unless it is said otherwise; each has an id of its own."""
    assert desk.run(*ACTS[act], *SURE).exit_code == 0
    assert desk.run(*ACTS[act], *SURE, "--user", "ada").exit_code == 0
    first, second = desk.sent
    assert (first.user, second.user) == (getpass.getuser(), "ada")
    assert (first.reason, second.reason) == ("seen", "seen")
    assert first.id != second.id
    assert first.time.utcoffset() is not None


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_where_a_user_has_no_name_the_command_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """In a container, say. It is no reason to fail."""

    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert desk.run(*ACTS["merge"], *SURE).exit_code == 0
    assert desk.sent[0].user == "unknown"


@pytest.mark.parametrize("act", ACTS)
def test_what_was_not_carried_out_is_told_and_fails(desk: Desk, act: str) -> None:
    """Refused: why. Nothing decided in time: where to look later."""
    desk.outcome = (Outcome.REFUSED, Reason.ALREADY_DONE)
    told = desk.run(*ACTS[act], *SURE)
    assert told.exit_code == 1
    assert "refused. Another command dealt with what it names" in told.output
    desk.outcome = None
    told = desk.run(*ACTS[act], *SURE, "--wait", "0")
    assert "perdiem why perdiem.commands:0:0:0" in told.output
    assert str(told.exception) == "1 of 1 not decided in time: does a worker run?"


def test_what_is_not_there_or_decided_is_told_at_once(desk: Desk) -> None:
    """A line for each, and nothing is sent: neither for those that are there."""
    told = desk.run("holds", "reject", EVENT, "alert-1", "nothing", *SURE)
    assert str(told.exception).splitlines() == [
        "alert-1: nothing of this name is on the list",
        "nothing: nothing of this name is on the list",
    ]
    assert desk.sent == []


@pytest.mark.parametrize("patient", ["4711", "UH|4711|1", "|4711", "NOBODY|4711"])
def test_a_patient_is_never_repeated(desk: Desk, patient: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is wrong. What is merged is shown as it is known, since the person named it."""
    monkeypatch.setenv("PERDIEM_FACILITIES", str(EXAMPLE))
    told = desk.run("merge", patient, "LAKE|1", *SURE)
    assert str(told.exception).startswith("PATIENT: expected")
    assert "4711" not in str(told.exception)
    desk.standing = {"LAKE|4711": 3, "LAKE|1": 7}
    shown = desk.run("merge", "LAKE|004711", "LAKE|1", *SURE)
    [merge] = desk.sent
    assert shown.output.splitlines()[:2] == [
        f"Merge LAKE|4711 into LAKE|1; to undo it: perdiem merge undo {merge.id}",
        "3 standing charges of LAKE|4711 now: LAKE|1 would have them, once a service and day",
    ]
    assert (merge.losing, merge.surviving) == ("LAKE|4711", "LAKE|1")


def test_what_was_allowed_or_merged_is_undone_by_its_id(desk: Desk) -> None:
    """The rest is known from the command that is undone."""
    desk.run(*ACTS["allow"], *SURE)
    desk.run(*ACTS["merge"], *SURE)
    desk.known = [*desk.sent]
    allowed, merged = desk.known
    desk.sent.clear()
    assert desk.run("override", "take-back", allowed.id, *SURE).exit_code == 0
    told = desk.run("merge", "undo", merged.id, *SURE)
    assert told.output.startswith("Undo the merge of UH|*** into UH|***")
    back, undo = desk.sent
    assert (back.allowed_by, back.patient, back.service) == (allowed.id, "UH|1", allowed.service)
    assert (undo.merge, undo.losing, undo.surviving) == (merged.id, "UH|1", "UH|2")


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A command that gives thirty."""
    monkeypatch.setenv("PERDIEM_FACILITIES", str(EXAMPLE))
    file = tmp_path / "units.csv"
    lines = [f"LAKE|{number},facility,collection,2025-03-10" for number in range(1, 31)]
    file.write_text("\n".join(["patient,stream,service,service_date", *lines]))
    return ("opening-balance", str(file), *SURE)


def test_of_many_commands_it_is_told_how_many_came_to_what(desk: Desk, units: tuple[str, ...]) -> None:
    """A line for each only of those that were not carried out, and not of all of these; then it fails."""
    told = desk.run(*units)
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "30 commands: applied")
    assert "opening-" not in told.output
    desk.outcome = (Outcome.REPEATED, None)
    told = desk.run(*units)
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "30 commands: repeated")
    desk.outcome = (Outcome.REFUSED, Reason.NO_LONGER_KEPT)
    told = desk.run(*units)
    assert (told.exit_code, told.output.splitlines()[-1]) == (1, "30 commands: refused")
    lines = [line for line in told.output.splitlines() if line.startswith("opening balance opening-")]
    assert len(lines) == 20
    assert lines[0].endswith("nothing of it is changed. See perdiem why perdiem.commands:0:0:0.")


def test_whoever_did_not_wait_for_all_of_many_commands_is_told_what_to_do(
    desk: Desk, units: tuple[str, ...]
) -> None:
    """The same again: each has the id that it had before."""
    desk.outcome = None
    told = desk.run(*units)
    assert str(told.exception) == (
        "30 of 30 not decided in time: does a worker run? The same again does no harm: nothing is done twice."
    )
    first = [said.id for said in desk.sent]
    desk.sent.clear()
    desk.run(*units)
    assert [said.id for said in desk.sent] == first


def test_an_item_that_is_named_twice_is_decided_once(desk: Desk) -> None:
    """The second command would only be refused."""
    assert desk.run("holds", "reject", EVENT, EVENT, *SURE).exit_code == 0
    assert [said.item for said in desk.sent] == [EVENT]
