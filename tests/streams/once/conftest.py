"""Fixtures of the engine without a broker: an app, a table of counts, an owner that holds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.once import OnceApp, Table
from streams.once.owner import Owner
from tests.streams.once.fakes import COUNTS, an_app, an_owner


@pytest.fixture
def app(tmp_path: Path) -> OnceApp:
    return an_app(tmp_path)


@pytest.fixture
def table(app: OnceApp) -> Table[str, int]:
    return app.once_table("counts", COUNTS)


@pytest.fixture
def owner(app: OnceApp, table: Table[str, int]) -> Iterator[Owner]:
    owner = an_owner(app, table)
    yield owner
    owner.store.close()
