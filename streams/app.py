"""The wiring, on one page. Started by ``perdiem worker`` or ``faust -A streams.app worker``."""

import logging
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from models.facilities import Facilities
from streams.checks import check_data_dir, check_topics, check_web
from streams.errors import PerdiemError
from streams.facilities import FacilitiesFileError, digest_of, read_facilities
from streams.holds import Holds
from streams.identity import Identity
from streams.intake.agent import Intake
from streams.intake.sources import Sources
from streams.ledger import Ledger
from streams.logs import set_up
from streams.metrics.measured import Measured
from streams.once import Engine, Observer, Observers, OnceApp, Silent, die
from streams.pace import Pace
from streams.settings import Settings, SettingsError
from streams.topics import Topics
from streams.views import Agents, mount
from streams.views.metrics import counting
from streams.views.site import Site
from streams.views.tokens import TokensFileError

log = logging.getLogger(__name__)


def create_app(settings: Settings, *, observer: Observer | None = None) -> OnceApp:
    """The Faust app. Raises SettingsError for a facilities or a tokens file that is missing or wrong."""
    return create_site(settings, observer=observer).app


def create_site(settings: Settings, *, observer: Observer | None = None) -> Site:
    """The pages of such an app, and with them the app."""
    facilities = load_facilities(settings.facilities)
    topics = Topics.of(settings)
    site, pace, measured = _site(settings), Pace(), Measured()
    app = OnceApp(
        settings.app_id,
        engine(settings),
        observer=Observers(pace, measured, observer or Silent()),
        checks=[partial(each, settings) for each in (check_web, check_data_dir, check_topics)],
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        canonical_url=settings.worker_url,
        web_application_options={"middlewares": [counting(measured), *site.middlewares]},
    )
    sources = Sources.of(topics, facilities)
    agents = Agents(
        Intake(app, topics, sources, settings),
        Ledger(app, topics, settings),
        Holds(app, topics, sources, settings),
        Identity(app, topics, settings),
    )
    mount(app, site, pace, measured, sources, agents)
    return site


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


def load_facilities(path: Path | None) -> Facilities:
    """Raises SettingsError: one line for each problem of the file."""
    if path is None:
        raise SettingsError("PERDIEM_FACILITIES: the path of a facilities file expected")
    try:
        return read_facilities(path)
    except FacilitiesFileError as error:
        raise _wrong("PERDIEM_FACILITIES", error) from None


def _site(settings: Settings) -> Site:
    try:
        return Site(settings)
    except TokensFileError as error:
        raise _wrong("PERDIEM_WEB_TOKENS", error) from None


def _wrong(variable: str, error: PerdiemError) -> SettingsError:
    return SettingsError("\n".join(f"{variable}: {line}" for line in str(error).splitlines()))


def run_worker(settings: Settings, *, observer: Observer | None = None) -> NoReturn:
    """Run a worker until it is told to stop; ends the process."""
    app = _begin(settings, observer)
    worker: Any = app.Worker()
    worker.execute_from_commandline()
    raise SystemExit(0)


def _begin(settings: Settings, observer: Observer | None = None) -> OnceApp:
    """The app of this process, and its first line: what differs there differs between workers."""
    app = create_app(settings, observer=observer)
    set_up(settings)
    told = {
        "version": version("perdiem"),
        "settings": settings.digest,
        "facilities": digest_of(settings.facilities) if settings.facilities else None,
        "brokers": settings.brokers,
        "partitions": settings.partitions,
    }
    log.info("starting", extra=told)
    return app


def __getattr__(name: str) -> OnceApp:
    """``app``, made when Faust's command line asks for it: importing this module must need no settings."""
    if name != "app":
        raise AttributeError(name)
    try:
        app = _begin(Settings.load())
    except PerdiemError as error:
        die(str(error), code=error.code)
    globals()["app"] = app
    # It prints a banner; no other way to start comes through Faust's command line.
    import_module("faust.cli.worker").worker.on_worker_created = lambda *_: None
    return app
