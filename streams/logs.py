"""Logs: what the libraries may say, and how often."""

import logging

from streams.once.failure import where
from streams.settings import Settings


def quiet(settings: Settings) -> None:
    """Let the libraries warn only; at DEBUG aiokafka would log keys and values, and those hold patients."""
    level = logging.INFO if settings.log_level == "debug" else logging.WARNING
    for library in ("aiokafka", "faust", "mode", "asyncio", "aiohttp"):
        logging.getLogger(library).setLevel(level)
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "aiokafka"]:
        logging.getLogger(name).addFilter(Seldom())


class Seldom(logging.Filter):
    """The same message at most every ten seconds: while Kafka is away clients say so 70 times a second.

    And in one line: where a client is surprised it prints a traceback, which can quote what it was given.
    """

    _EVERY = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created - self._said.get(record.msg, 0.0) < self._EVERY:
            return False
        self._said[record.msg] = record.created
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = f"{record.getMessage()}: {where(record.exc_info[1])}", ()
            record.exc_info = None
        return True
