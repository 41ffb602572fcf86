"""The command line as a whole."""

import subprocess
import sys

import pytest

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
