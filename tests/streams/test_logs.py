"""Whatever is logged is one line of one shape, and holds no data of an error."""

import asyncio
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from mode.utils.logging import CompositeLogger

from streams.logs import set_up
from streams.once import failure
from streams.settings import Settings

PATIENT = "a patient"
HERE = "ValueError at streams/test_logs.py:"
SHAPE = ["timestamp", "level", "event", "logger"]

Setting = Callable[..., io.StringIO]


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    factory, loggers = logging.getLogRecordFactory(), [logging.root, failure.log]
    before = [(each, [*each.handlers], each.level) for each in loggers]
    yield
    logging.captureWarnings(False)
    logging.setLogRecordFactory(factory)
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.fixture
def said(logging_as_it_was: None, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Sets logs up in one of the formats; what is written from then on."""

    def begin(log_format: str = "json", **settings: Any) -> io.StringIO:
        written = io.StringIO()
        monkeypatch.setattr(sys, "stderr", written)
        set_up(Settings.isolated(log_format=log_format, **settings))
        return written

    return begin


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


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("name", ["aiokafka.client", "asyncio", "aiohttp.server", "streams", "made later"])
@pytest.mark.parametrize("form", FORMS)
def test_an_error_is_one_line_without_its_text_whoever_logs_it(
    said: Setting, log_format: str, name: str, form: Callable[[logging.Logger, ValueError], None]
) -> None:
    """A traceback quotes what a client was given; class and place are enough to find it."""
    written = said(log_format)
    form(logging.getLogger(name), an_error())
    [line] = written.getvalue().splitlines()
    assert HERE in line
    assert PATIENT not in line


class Opaque:
    def __repr__(self) -> str:
        return PATIENT


def fail(_: object) -> str:
    raise ValueError(PATIENT)


class Unspeakable:
    __str__ = __repr__ = fail


LINES: Mapping[str, Callable[[logging.Logger], None]] = {
    "two lines": lambda log: log.info("one\ntwo\r\x1b[31m\u2028three"),
    "no ASCII": lambda log: log.info("ƒaµS† \ud800", extra={"topic": "Ä\nÖ\x1b"}),
    "an object": lambda log: log.info("held", extra={"of": Opaque(), "more": [Opaque()]}),
    "no text": lambda log: log.info("held", extra={"of": Unspeakable()}),
    "a stack": lambda log: log.info("held", stack_info=True),
    "a wrong form": lambda log: log.info("%d of %s", "many", PATIENT),
    "an argument that fails": lambda log: log.info("%s", Unspeakable()),
    "a warning": lambda log: warnings.warn("old\nnews", DeprecationWarning, stacklevel=1),
}


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("what", LINES)
def test_whatever_is_logged_is_one_json_object_a_line(said: Setting, what: str) -> None:
    """A collector reads line by line; what cannot be told is told as an error, without the arguments."""
    written = said(app_id="mine", web_port=4711)
    LINES[what](logging.getLogger("streams.any"))
    [line] = written.getvalue().splitlines()
    told = json.loads(line)
    assert [*told][:4] == SHAPE
    assert (told["app_id"], told["worker"]) == ("mine", "http://127.0.0.1:4711")
    assert PATIENT not in line


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("what", LINES)
def test_whatever_is_logged_is_one_line_on_a_console(said: Setting, what: str) -> None:
    """Nothing that a text holds moves the cursor or colours what follows."""
    written = said("console")
    LINES[what](logging.getLogger("streams.any"))
    [line] = written.getvalue().splitlines()
    assert line.isprintable()
    assert PATIENT not in line


def test_a_line_says_when_how_grave_what_who_and_about_what(said: Setting) -> None:
    """Its fields are fields: a program need not take a sentence apart."""
    written = said()
    logging.getLogger("streams.any").warning("dead letter", extra={"event_id": "lab:0:1:0", "field": None})
    told = json.loads(written.getvalue())
    assert told.pop("timestamp")[-5] == "."  # milliseconds
    assert told == {
        "level": "warning",
        "event": "dead letter",
        "logger": "streams.any",
        "event_id": "lab:0:1:0",
        "field": None,
        "app_id": "perdiem",
        "worker": "http://127.0.0.1:6066",
    }


def test_a_console_shows_the_same_for_people(said: Setting) -> None:
    written = said("console")
    logging.getLogger("streams.any").warning("dead letter", extra={"event_id": "lab:0:1:0"})
    words = written.getvalue().split()
    assert words[1:] == ["[warning", "]", "dead", "letter", "[streams.any]", "event_id=lab:0:1:0"]


def test_what_libraries_add_is_left_out(said: Setting) -> None:
    """Nobody knows what it holds: a web server adds the whole request."""
    written = said(log_level="debug")
    logging.getLogger("aiohttp.access").info("a request", extra={"first_request_line": PATIENT})
    assert "first_request_line" not in json.loads(written.getvalue())


@pytest.mark.parametrize(("log_level", "lines"), [("info", 0), ("debug", 1)])
def test_what_faust_starts_and_stops_is_told_at_debug(said: Setting, log_level: str, lines: int) -> None:
    """Nobody acts on it; classes of ours that it starts say so under our name."""
    written = said(log_level=log_level)
    CompositeLogger(logging.getLogger("streams.any"), lambda *_, **__: "[^--Web]: Starting...").info("")
    assert len(written.getvalue().splitlines()) == lines


def test_the_last_line_is_one_more_of_them(said: Setting) -> None:
    """Why a worker ends is told to a collector as all else is, with its exit code."""
    written = said()
    failure.log.critical("no such topic:\none\ntwo", extra={"exit_code": failure.EXIT_REFUSED})
    told = json.loads(written.getvalue())
    assert (told["event"], told["exit_code"]) == ("no such topic:\none\ntwo", 4)


def test_aiokafka_repeats_itself_every_ten_seconds_and_no_other(said: Setting) -> None:
    """While Kafka is away its clients say so 70 times a second."""
    written = said()
    for name in ("aiokafka.new", "streams.any"):
        for number in range(3):
            logging.getLogger(name).error("Unable to connect to %d", number)
    assert [json.loads(line)["logger"] for line in written.getvalue().splitlines()] == [
        "aiokafka.new",
        *3 * ["streams.any"],
    ]


async def test_what_asyncio_tells_of_a_failed_task_or_callback_holds_no_data(said: Setting) -> None:
    """It writes a future with its error, and the arguments of a callback, into the text itself."""
    written = said("console")

    def fail(patient: str) -> None:
        raise ValueError(patient)

    loop = asyncio.get_running_loop()
    failed = loop.create_future()
    failed.set_exception(an_error())
    loop.call_soon(fail, PATIENT)
    await asyncio.sleep(0)
    del failed
    lines = written.getvalue().splitlines()
    assert sorted(" ".join(line.split()[3:7]) for line in lines) == [
        "Exception in callback test_what_asyncio_tells_of_a_failed_task_or_callback_holds_no_data.",
        "Future exception was never",
    ]
    assert all(HERE in line and PATIENT not in line for line in lines)
    logging.getLogger("asyncio").warning("Executing %s took 2 s", _failed(loop))
    assert PATIENT not in written.getvalue()


def _failed(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = loop.create_future()
    future.set_exception(an_error())
    future.exception()
    return future
