"""What the libraries log is short, and holds no data."""

import asyncio
import io
import logging
from collections.abc import Callable, Iterator

import pytest

from streams.logs import quiet
from streams.settings import Settings

PATIENT = "a patient"
HERE = "ValueError at streams/test_logs.py:"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is logged, by a handler made after ``quiet``, as Faust makes its own."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    try:
        quiet(Settings.isolated())
        root.addHandler(handler)
        yield written
    finally:
        root.removeHandler(handler)
        logging.setLogRecordFactory(factory)


def an_error() -> ValueError:
    try:
        raise ValueError(PATIENT)
    except ValueError as error:
        return error


FORMS: list[Callable[[logging.Logger, ValueError], None]] = [
    lambda log, error: log.error("Unexpected error in %s", "sender", exc_info=error),
    lambda log, error: log.error("Unexpected error", exc_info=(ValueError, error, error.__traceback__)),
    lambda log, error: log.warning("Unexpected error: %r, again in 100%%: %s", error, error),
    lambda log, error: log.error("Unexpected error: %(error)s", {"error": error}),
    lambda log, error: log.error("Unexpected error of %(in)s", {"in": "sender"}, exc_info=error),
    lambda log, error: log.error("Unexpected error\nreason: %r" % error, exc_info=error),  # noqa: UP031
    lambda log, error: log.critical(error),
]


@pytest.mark.parametrize("name", ["aiokafka.client", "asyncio", "aiohttp.server", "streams", "made later"])
@pytest.mark.parametrize("form", FORMS)
def test_an_error_is_one_line_without_its_text_whoever_logs_it(
    said: io.StringIO, name: str, form: Callable[[logging.Logger, ValueError], None]
) -> None:
    """A traceback quotes what a client was given; class and place are enough to find it."""
    log = logging.getLogger(name)
    for former in [*log.filters]:
        log.removeFilter(former)  # what was said within ten seconds
    form(log, an_error())
    [line] = said.getvalue().splitlines()
    assert HERE in line
    assert PATIENT not in line


async def test_what_asyncio_tells_of_a_failed_task_or_callback_holds_no_data(said: io.StringIO) -> None:
    """It writes a future with its error, and the arguments of a callback, into the text itself."""

    def fail(patient: str) -> None:
        raise ValueError(patient)

    loop = asyncio.get_running_loop()
    failed = loop.create_future()
    failed.set_exception(an_error())
    loop.call_soon(fail, PATIENT)
    await asyncio.sleep(0)
    del failed
    callback, never = sorted(said.getvalue().splitlines())
    assert callback.startswith("Exception in callback ")
    assert never.startswith("Future exception was never retrieved: ValueError")
    assert HERE in callback
    assert PATIENT not in callback + never
    logging.getLogger("asyncio").warning("Executing %s took 2 s", _failed(loop))
    assert PATIENT not in said.getvalue()


def _failed(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = loop.create_future()
    future.set_exception(an_error())
    future.exception()
    return future
