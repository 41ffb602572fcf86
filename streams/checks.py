"""Checks: what must hold before a worker starts. Each refusal is one line that names the setting."""

import socket
from tempfile import TemporaryFile

from streams.clients import BrokersError
from streams.once import Refused
from streams.once.failure import Fault
from streams.settings import Settings
from streams.topics import TopicsError, check, create


async def check_topics(settings: Settings) -> None:
    """Make the topics where allowed, and compare them with the settings.

    Raises Refused where they differ, Fault where the brokers do not answer: that may pass.
    """
    try:
        if settings.create_topics:
            await create(settings)
        await check(settings)
    except TopicsError as error:
        raise Refused(str(error)) from error
    except BrokersError as error:
        raise Fault(str(error)) from error


async def check_data_dir(settings: Settings) -> None:
    """Raises Refused if the local stores cannot be kept where they should."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        raise Refused(f"PERDIEM_DATA_DIR: a folder that can be written expected: {error.strerror}") from error


async def check_web(settings: Settings) -> None:
    """Raises Refused if somebody else has the port of the web pages."""
    try:
        with socket.create_server((settings.web_host, settings.web_port)):
            pass
    except OSError as error:
        raise Refused(
            f"PERDIEM_WEB_PORT: a free port expected, {settings.web_host}:{settings.web_port} "
            f"cannot be taken: {error.strerror}"
        ) from error
