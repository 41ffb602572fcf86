"""The worker as whoever started it sees it."""

import signal
import sys

import pytest

from streams.once.worker import Worker


def test_ctrl_c_stops_it_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is stopped as by SIGTERM, and the terminal stays as it is."""
    told: list[signal.Signals] = []
    worker = Worker.__new__(Worker)
    worker.quiet, worker.stderr = False, sys.stderr
    monkeypatch.setattr(worker, "_schedule_shutdown", told.append)
    worker._on_sigint()
    assert told == [signal.SIGINT]
    assert capsys.readouterr().err == ""
