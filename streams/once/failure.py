"""How a worker ends when it must not go on."""

import logging
import os
import sys
import traceback
from typing import NoReturn

from aiokafka.errors import KafkaError

from streams.kafka.denied import denied


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(f"perdiem: {line}" for line in record.getMessage().splitlines())


log = logging.getLogger(__name__)
log.propagate = False
_last = logging.StreamHandler(sys.__stderr__)
_last.setFormatter(_Lines())
log.addHandler(_last)

EXIT_FAILED = 3
"""A crash: restart the worker."""
EXIT_REFUSED = 4
"""A condition that a restart does not mend: a person must look."""


class Fault(Exception):  # noqa: N818 - it is what happened, not a class of errors
    """The worker must end, and a restart mends it; the text says what happened. Never holds patient data."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The worker must stop, and the text says why and what to do. Never holds patient data."""


def die(what: str, *, code: int = EXIT_FAILED) -> NoReturn:
    """End the process at once, with each line of ``what`` on standard error, ``perdiem: ...`` unless logs
    say otherwise.

    Nothing is tidied up: that could take as long as what went wrong. The successor's InitProducerId aborts
    what is open.
    """
    log.critical(what, extra={"exit_code": code})
    os._exit(code)


def die_of(what: str, error: KafkaError, **tried: str) -> NoReturn:
    """``die`` of what Kafka said; what its ACLs do not allow (see ``denied``) is not mended by a restart."""
    refused = denied(error, **tried)
    die(f"{what} {refused or repr(error)}", code=EXIT_REFUSED if refused else EXIT_FAILED)


def where(error: BaseException) -> str:
    """Name an error without its text, which might hold what a source sent: class, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {'/'.join(frames[-1].filename.split('/')[-2:])}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
