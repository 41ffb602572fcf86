"""The pages of a worker that never starts: no Kafka, and nobody owns a partition."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.access import AccessLog, AccessLogError
from streams.settings import Settings
from tests.kafka import ROOT
from tests.opened import opened
from tests.streams.views.browser import Pages

Opens = Callable[..., AbstractAsyncContextManager[Pages]]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A worker sets how its process logs."""
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would stand in the record of accesses; an error among it is raised at the next one."""
    noted: list[Any] = []

    async def write(log: AccessLog, *access: Any) -> None:
        if noted and isinstance(noted[-1], AccessLogError):
            raise noted[-1]
        noted.append(access)

    monkeypatch.setattr(AccessLog, "write", write)
    return noted


@pytest.fixture
def opens(tmp_path: Path, noted: list[Any], monkeypatch: pytest.MonkeyPatch) -> Opens:
    """The pages under settings that differ as given from those that ``tests.opened`` opens."""

    @asynccontextmanager
    async def open_pages(**changed: Any) -> AsyncIterator[Pages]:
        settings = Settings.isolated(
            brokers="127.0.0.1:1", facilities=ROOT / "examples" / "facilities.toml", data_dir=tmp_path
        )
        pages = Pages(opened(settings, tmp_path).model_copy(update=changed))
        monkeypatch.setattr("streams.app.mount", pages.mount)
        async with pages.served():
            yield pages

    return open_pages


@pytest.fixture
async def pages(opens: Opens) -> AsyncIterator[Pages]:
    async with opens() as pages:
        yield pages
