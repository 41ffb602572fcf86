"""`perdiem facilities check` says what a worker would say of a file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.facilities import FacilitiesFileError, read_facilities

EXAMPLE = Path(__file__).parents[3] / "examples" / "facilities.toml"


def test_a_file_that_can_be_used_is_ok() -> None:
    """And says how many facilities it describes."""
    told = CliRunner().invoke(app, ["facilities", "check", str(EXAMPLE)])
    assert (told.exit_code, told.output) == (0, "ok: 3 facilities\n")


def test_every_problem_is_a_line_that_names_the_file(tmp_path: Path) -> None:
    """All of them at once, and the command fails."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(EXAMPLE.read_text().replace("America/", "Amerika/"))
    with pytest.raises(FacilitiesFileError) as told:
        read_facilities(wrong)
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{wrong}: facility ") for line in lines)
    assert isinstance(
        CliRunner().invoke(app, ["facilities", "check", str(wrong)]).exception, FacilitiesFileError
    )


def test_what_is_no_text_or_no_file_is_told(tmp_path: Path) -> None:
    """One line, whatever was named."""
    with pytest.raises(FacilitiesFileError, match=r"/gone\.toml: a readable file expected: No such file"):
        read_facilities(tmp_path / "gone.toml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(FacilitiesFileError, match=r"/binary: text in UTF-8 expected"):
        read_facilities(tmp_path / "binary")
