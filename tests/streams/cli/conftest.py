"""The desk of a person who decides."""

import pytest

from tests.streams.cli.deciding import Desk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)
