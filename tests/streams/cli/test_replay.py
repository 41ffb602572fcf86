"""`perdiem replay` shows the first of many, and says that there are more."""

import pytest

from models.billing import Outcome
from models.what_if import Report
from streams.cli.replay import show


def test_what_is_left_out_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Behind the examples of each kind; where all are shown nothing is said."""
    report = Report("0123456789ab", examples=2)
    for number in range(5):
        report.becomes(f"lab.procedures:0:{number}:0", None, Outcome.HELD, Outcome.REPORTED)
    show(report, patients=False)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "outcome: lab.procedures:0:1:0: held -> reported",
        "outcome: and 3 more: see --examples",
    ]
    report.examples = 5
    report.found.clear()
    report.seen.clear()
    report.becomes("lab.procedures:0:1:0", None, Outcome.HELD, Outcome.REPORTED)
    show(report, patients=False)
    assert "more" not in capsys.readouterr().out
