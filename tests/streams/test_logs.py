"""What the libraries log is short, and holds no data."""

import logging

import pytest

from streams.logs import Dataless


def test_a_client_s_surprise_is_one_line_without_the_text_of_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A traceback quotes what a client was given; class and place are enough to find it."""
    log = logging.getLogger("a-client")
    log.addFilter(Dataless())
    try:
        raise ValueError("a patient")
    except ValueError as error:
        log.exception("Unexpected error in %s: %r", "sender", error)
    [said] = caplog.text.splitlines()
    assert said.count("ValueError at streams/test_logs.py:") == 2
    assert "patient" not in said
