"""Logs: one line an event, on standard error; what every line says, and what none may."""

import asyncio
import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict

from streams.once import failure
from streams.once.failure import where
from streams.settings import Settings

_LIBRARIES = ("aiokafka", "faust", "mode", "asyncio", "aiohttp")
_BEYOND_WORDS = re.compile(r"[\n(<{\[]")
"""Where a text that a library put together goes on with a call, an object or a further line."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What moves a cursor, ends a line or cannot be written."""


def set_up(settings: Settings) -> None:
    """Every line of this process from now on, ours and the libraries', is one of ``Lines``.

    The libraries only warn; at DEBUG aiokafka would log keys and values, and those hold patients.
    """
    json = settings.log_format == "json"
    libraries = logging.INFO if settings.log_level == "debug" else logging.WARNING
    filters = ["seldom"] if settings.log_level == "debug" else ["seldom", "services"]
    loggers: dict[str, Any] = {name: {"level": libraries, "handlers": []} for name in _LIBRARIES}
    # It would say of each cookie of another secret that it is one, and anybody can send any number.
    loggers["aiohttp_session"] = {"level": logging.ERROR, "handlers": []}
    if json:
        # For people the last line stands alone, as every command tells what is wrong.
        loggers[failure.__name__] = {"handlers": ["lines"]}
    logging.setLogRecordFactory(Dataless)
    logging.captureWarnings(True)
    # Python's own would print a traceback, which can quote what a source sent.
    sys.excepthook = lambda kind, error, trace: _died(error)
    threading.excepthook = lambda came: _died(came.exc_value)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": lambda: _json(settings) if json else _console()}},
            "filters": {"seldom": {"()": Seldom}, "services": {"()": lambda: _is_no_service}},
            "handlers": {"lines": {"()": Lines, "formatter": "line", "filters": filters}},
            "root": {"level": settings.log_level.upper(), "handlers": ["lines"]},
            "loggers": loggers,
        }
    )


def _died(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        logging.getLogger(__name__).critical("a thread ended", extra={"error": where(error)})


def _is_no_service(record: logging.LogRecord) -> bool:
    """A class of ours that Faust starts and stops says so under our name."""
    return record.levelno > logging.INFO or not str(record.msg).startswith("[^")


def _json(settings: Settings) -> logging.Formatter:
    url = f"http://{settings.web_host}:{settings.web_port}"

    def whose(_: Any, __: str, line: EventDict) -> EventDict:
        return {**line, "app_id": settings.app_id, "worker": url}

    return ProcessorFormatter(foreign_pre_chain=[_fields, whose], processors=[JSONRenderer()])


def _console() -> logging.Formatter:
    def escape(_: Any, __: str, line: EventDict) -> EventDict:
        return {name: _escaped(said) if isinstance(said, str) else said for name, said in line.items()}

    renderer = ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)
    return ProcessorFormatter(foreign_pre_chain=[_fields, escape], processors=[renderer])


_add_extra = ExtraAdder()


def _fields(logger: Any, method: str, came: EventDict) -> EventDict:
    """A line's fields, each a text, a number or nothing. Others' extras are not taken: nobody knows them."""
    record: logging.LogRecord = came["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    line: dict[str, Any] = {
        "timestamp": at.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": came["event"],
        "logger": record.name,
    }
    if record.name.partition(".")[0] == __name__.partition(".")[0]:
        extra = _add_extra(logger, method, {"_record": record})
        del extra["_record"]
        line |= {name: _plain(said) for name, said in extra.items()}
    if record.exc_text:
        line["error"] = record.exc_text
    return line


def _plain(said: Any) -> Any:
    """What is more than a text or a number might show whom it is about: its class does."""
    return said if said is None or isinstance(said, str | int | float) else type(said).__name__


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class Lines(logging.StreamHandler[Any]):
    """Writes to standard error. A line that cannot be put together is told as what it is.

    The library would print a traceback instead, and with it the arguments.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        error = sys.exc_info()[1]
        if error is None or isinstance(error, OSError) or record.name == __name__:
            return  # nobody reads any more
        log = logging.getLogger(__name__)
        told = {"of": f"{record.module}:{record.lineno}", "error": where(error)}
        self.handle(log.makeRecord(__name__, logging.ERROR, "", 0, "a line was lost", (), None, extra=told))


class Dataless(logging.LogRecord):
    """An error is told by its class and place: text and traceback can quote what a source sent.

    Every record is made here, whoever logs. Class and place are the record's ``exc_text``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msg = _told(self.msg)
        if isinstance(self.args, Mapping):
            self.args = {name: _told(arg) for name, arg in self.args.items()}
        elif self.args:
            self.args = tuple(map(_told, self.args))
        error = self.exc_info[1] if self.exc_info else None
        self.exc_info = self.stack_info = None
        if error is not None:
            self.exc_text = where(error)
            if not self.args:
                # asyncio writes the arguments of what failed, and futures with their errors, into the text.
                self.msg = _BEYOND_WORDS.split(str(self.msg), maxsplit=1)[0].rstrip(" :")


def _told(said: Any) -> Any:
    """``said``, unless it would show the text of an error."""
    if isinstance(said, BaseException):
        return where(said)
    return type(said).__name__ if isinstance(said, asyncio.Future) else said


class Seldom(logging.Filter):
    """aiokafka's same message at most every ten seconds: while Kafka is away it comes 70 times a second."""

    _EVERY = 10.0

    def __init__(self) -> None:
        super().__init__("aiokafka")
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        if record.created - self._said.get(record.msg, 0.0) < self._EVERY:
            return False
        self._said[record.msg] = record.created
        return True
