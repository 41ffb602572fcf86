"""Logs: what the libraries may say, and how often."""

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

from streams.once.failure import where
from streams.settings import Settings

_BEYOND_WORDS = re.compile(r"[\n(<{\[]")
"""Where a text that a library put together goes on with a call, an object or a further line."""


def quiet(settings: Settings) -> None:
    """Let the libraries warn only; at DEBUG aiokafka would log keys and values, and those hold patients."""
    logging.setLogRecordFactory(Dataless)
    level = logging.INFO if settings.log_level == "debug" else logging.WARNING
    for library in ("aiokafka", "faust", "mode", "asyncio", "aiohttp"):
        logging.getLogger(library).setLevel(level)
    # It would say of each cookie of another secret that it is one, and anybody can send any number.
    logging.getLogger("aiohttp_session").setLevel(logging.ERROR)
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] == "aiokafka":
            logging.getLogger(name).addFilter(Seldom())


class Dataless(logging.LogRecord):
    """An error is told by its class and place: text and traceback can quote what a source sent.

    Every record is made here. A filter misses loggers that are made later, and handlers come and go.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msg = _told(self.msg)
        if isinstance(self.args, Mapping):
            self.args = {name: _told(arg) for name, arg in self.args.items()}
        elif self.args:
            self.args = tuple(map(_told, self.args))
        error = self.exc_info[1] if self.exc_info else None
        if error is not None:
            self.exc_info = None
            if self.args:
                self.msg = f"{self.msg}: {where(error).replace('%', '%%')}"
            else:
                # asyncio writes the arguments of what failed, and futures with their errors, into the text.
                words = _BEYOND_WORDS.split(str(self.msg), maxsplit=1)[0]
                self.msg = f"{words.rstrip()}: {where(error)}"


def _told(said: Any) -> Any:
    """``said``, unless it would show the text of an error."""
    if isinstance(said, BaseException):
        return where(said)
    return type(said).__name__ if isinstance(said, asyncio.Future) else said


class Seldom(logging.Filter):
    """The same message at most every ten seconds: while Kafka is away clients say so 70 times a second."""

    _EVERY = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created - self._said.get(record.msg, 0.0) < self._EVERY:
            return False
        self._said[record.msg] = record.created
        return True
