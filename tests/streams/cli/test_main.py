"""The command line as a whole."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from streams import cli
from streams.settings import SettingsError


def test_what_a_person_can_put_right_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting ends a command with its line on stderr and exit code 2."""

    def wrong() -> None:
        raise SettingsError("PERDIEM_LANES: a number expected")

    monkeypatch.setattr(cli, "app", wrong)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "perdiem: PERDIEM_LANES: a number expected\n"


def test_help_loads_nothing_that_is_slow() -> None:
    """`perdiem --help` imports neither Faust nor a Kafka client."""
    code = "import sys, streams.cli; print({'faust', 'aiokafka', 'pydantic'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


def test_every_line_says_who_speaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a log of several programs each of several problems is seen to be Perdiem's."""

    def wrong() -> None:
        raise SettingsError("one\ntwo")

    monkeypatch.setattr(cli, "app", wrong)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "perdiem: one\nperdiem: two\n"


def test_one_of_a_thing_is_no_plural() -> None:
    """Counts are written as a person would."""
    assert [cli.counted(count, "record") for count in (0, 1, 2000)] == [
        "0 records",
        "1 record",
        "2,000 records",
    ]


def test_a_merge_and_its_undoing_are_explained_as_they_are_typed() -> None:
    """The help names both patients, and how to undo it; no command of another name."""
    told = CliRunner().invoke(cli.app, ["merge", "--help"]).output
    assert "LOSING SURVIVING" in told.replace("{", "").replace("}", "")
    assert "perdiem merge undo MERGE" in told
    assert "patients" not in told
    assert CliRunner().invoke(cli.app, ["merge"]).output == told
    assert "Undo a merge" in CliRunner().invoke(cli.app, ["merge", "undo", "--help"]).output


def test_days_and_years_are_not_simulated_at_once() -> None:
    """One of them would be left out silently."""
    told = CliRunner().invoke(cli.app, ["simulate", "--years", "1", "--days", "3"])
    assert str(told.exception) == "--days, --years: expected one of them"
