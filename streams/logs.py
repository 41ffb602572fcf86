"""Logs: what the libraries may say, and how often."""

import logging

from streams.once.failure import where
from streams.settings import Settings


def quiet(settings: Settings) -> None:
    """Let the libraries warn only; at DEBUG aiokafka would log keys and values, and those hold patients."""
    level = logging.INFO if settings.log_level == "debug" else logging.WARNING
    for library in ("aiokafka", "faust", "mode", "asyncio", "aiohttp"):
        logging.getLogger(library).setLevel(level)
    for name in [*logging.root.manager.loggerDict]:
        package = name.split(".")[0]
        if package == "aiokafka":
            logging.getLogger(name).addFilter(Seldom())
        if package in ("aiokafka", "faust", "mode", "streams"):
            logging.getLogger(name).addFilter(Dataless())


class Dataless(logging.Filter):
    """An error is told by its class and place: text and traceback can quote what a source sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(where(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = f"{record.getMessage()}: {where(record.exc_info[1])}", ()
            record.exc_info = None
        return True


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
