"""docs/guarantees.md names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_test_that_the_guarantees_name_is_there() -> None:
    """A promise whose test was renamed or dropped is noticed."""
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "guarantees.md").read_text())
    written = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert [name for name in named if f"def {name}(" not in written] == []
