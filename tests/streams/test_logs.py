"""What the libraries log is short, and holds no data."""

import logging

import pytest

from streams.logs import Seldom


def test_a_client_s_surprise_is_one_line_without_the_text_of_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A traceback quotes what a client was given; class and place are enough to find it."""
    log = logging.getLogger("a-client")
    log.addFilter(Seldom())
    for _ in range(2):
        try:
            raise ValueError("a patient")
        except ValueError:
            log.exception("Unexpected error in %s", "sender")
    [said] = caplog.text.splitlines()
    assert "Unexpected error in sender: ValueError at streams/test_logs.py:" in said
    assert "patient" not in said
