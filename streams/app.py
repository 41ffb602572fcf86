"""The wiring, on one page. Started by ``perdiem worker`` or ``faust -A streams.app worker``."""

import logging
import socket
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from aiokafka.errors import KafkaError

from models.facilities import Facilities
from models.facilities_file import FacilitiesError, parse
from streams.errors import PerdiemError
from streams.intake import json_procedures
from streams.intake.agent import Intake
from streams.ledger import Ledger
from streams.once import Engine, Observer, OnceApp, Refused, die
from streams.once.failure import EXIT_REFUSED
from streams.settings import Settings, SettingsError
from streams.topics import Topics, check, create
from streams.views import health, overview


def create_app(settings: Settings, *, observer: Observer | None = None) -> OnceApp:
    """The Faust app. Raises SettingsError when the facilities file is missing or wrong."""
    quiet(settings)
    facilities = load_facilities(settings.facilities)
    topics = Topics.of(settings)

    app = OnceApp(
        settings.app_id,
        engine(settings),
        observer=observer,
        checks=[partial(check_topics, settings), partial(check_web, settings)],
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        canonical_url=f"http://{settings.web_host}:{settings.web_port}",
    )
    formats = {topic.name: json_procedures.read for topic in topics.sources}
    Intake(app, topics, facilities, settings, formats)
    Ledger(app, topics)
    health.mount(app)
    overview.mount(app)
    return app


async def check_topics(settings: Settings) -> None:
    """Make the topics where allowed, and compare them with the settings. Raises Refused."""
    try:
        if settings.create_topics:
            await create(settings)
        await check(settings)
    except PerdiemError as error:
        raise Refused(str(error)) from error
    except KafkaError as error:
        raise Refused(f"no Kafka answers at {settings.brokers}: {type(error).__name__}") from error


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


def engine(settings: Settings) -> Engine:
    return Engine(
        kafka=settings.kafka(),
        data_dir=settings.data_dir,
        lanes=settings.lanes,
        max_poll_records=settings.max_poll_records,
        transaction_timeout=settings.transaction_timeout,
        restore_timeout=settings.restore_timeout,
        session_timeout=settings.session_timeout,
        heartbeat=settings.heartbeat,
        partitions=settings.partitions,
    )


def quiet(settings: Settings) -> None:
    """Let the libraries warn only; at DEBUG aiokafka would log keys and values, and those hold patients."""
    level = logging.INFO if settings.log_level == "debug" else logging.WARNING
    for library in ("aiokafka", "faust", "mode", "asyncio", "aiohttp"):
        logging.getLogger(library).setLevel(level)


def load_facilities(path: Path | None) -> Facilities:
    """Raises SettingsError: one line for each problem of the file."""
    if path is None:
        raise SettingsError("PERDIEM_FACILITIES: the path of a facilities file expected")
    try:
        return parse(path.read_text())
    except OSError as error:
        raise SettingsError(f"PERDIEM_FACILITIES: a readable file expected: {error.strerror}") from None
    except FacilitiesError as error:
        raise SettingsError(str(error)) from None


def run_worker(settings: Settings, *, observer: Observer | None = None) -> NoReturn:
    """Run a worker until it is told to stop; ends the process."""
    app = create_app(settings, observer=observer)
    worker: Any = app.Worker(loglevel=settings.log_level.upper(), override_logging=True)
    worker.execute_from_commandline()
    raise SystemExit(0)


def __getattr__(name: str) -> OnceApp:
    """``app``, made when Faust's command line asks for it: importing this module must need no settings."""
    if name != "app":
        raise AttributeError(name)
    try:
        app = create_app(Settings.load())
    except PerdiemError as error:
        die(str(error), code=EXIT_REFUSED)
    globals()["app"] = app
    return app
