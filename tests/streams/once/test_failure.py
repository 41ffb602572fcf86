"""Failure: a worker ends with one line, and that line holds no data."""

import subprocess
import sys

from streams.once.failure import EXIT_FAILED, where


def test_where_names_class_and_line_and_nothing_of_the_text() -> None:
    """An exception's text may quote what a source sent, and that holds patients."""
    try:
        int("a patient")
    except ValueError as error:
        said = where(error)
    assert said.startswith("ValueError at once/test_failure.py:")
    assert "patient" not in said


def test_where_copes_with_an_error_that_was_never_raised() -> None:
    """Then there is no line to name."""
    assert where(ValueError("a patient")) == "ValueError"


def test_every_line_of_the_end_says_who_speaks() -> None:
    """Of many topics that are missing each is told so."""
    code = "from streams.once import die; die('one\\ntwo', code=4)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (4, "perdiem: one\nperdiem: two\n")


def test_die_ends_the_process_at_once_with_one_line() -> None:
    """No cleaning up, which could hang: exit code 3, and one line on standard error."""
    code = "import atexit; from streams.once import die; atexit.register(print, 'late'); die('no')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr, ended.stdout) == (EXIT_FAILED, "perdiem: no\n", "")
