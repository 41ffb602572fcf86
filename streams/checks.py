"""Checks: what must hold before a worker starts. Each refusal is one line that names the setting."""

import socket
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

from streams.acls import Operation, Resource, acls
from streams.brokers import Brokers
from streams.clients import AccessError, BrokersError
from streams.once import Refused
from streams.once.failure import Fault
from streams.roles import Role
from streams.settings import Settings
from streams.topics import TopicsError, check, create


async def check_topics(settings: Settings) -> None:
    """Make the topics where allowed, and compare them with the settings.

    Raises Refused where they differ, or where Kafka's ACLs do not allow what a worker does with them;
    Fault where the brokers do not answer: that may pass.
    """
    try:
        if settings.create_topics:
            await create(settings)
        await check_acls(settings)
        await check(settings)
    except (TopicsError, AccessError) as error:
        raise Refused(str(error)) from error
    except BrokersError as error:
        raise Fault(str(error)) from error


async def check_acls(settings: Settings) -> None:
    """Raises AccessError: a line for each topic that a worker may not use as it must.

    Else the first dead letter in weeks could be what tells. Group and transactional ids are used at once.
    """
    needed = [acl for acl in acls(settings, Role.WORKER) if acl.resource is Resource.TOPIC]
    async with Brokers.connected(settings) as brokers:
        allowed = await brokers.operations([name for acl in needed for name in acl.names])
    missing = [
        f"not allowed: {operation.word} on topic {name}"
        for acl in needed
        for name in acl.names
        if name in allowed
        for operation in _lacking(acl.operations, allowed[name])
    ]
    if missing:
        raise AccessError("\n".join(missing))


def _lacking(needed: Iterable[Operation], allowed: int) -> Iterator[Operation]:
    """Those of ``needed`` that have no bit in ``allowed``, which has none for a topic that cannot be seen.

    Whether the settings of such a one could be described Kafka does not tell, so that is not named.
    """
    for operation in needed:
        untold = not allowed and operation is Operation.DESCRIBE_CONFIGS
        if not untold and not allowed & operation.bit:
            yield operation


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
