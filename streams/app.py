"""The wiring, on one page. Started by ``perdiem worker`` or ``faust -A streams.app worker``."""

from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from models.facilities import Facilities
from streams.checks import check_data_dir, check_topics, check_web
from streams.errors import PerdiemError
from streams.facilities import FacilitiesFileError, read_facilities
from streams.holds import Holds
from streams.identity import Identity
from streams.intake import json_procedures
from streams.intake.agent import Intake
from streams.intake.sources import Sources
from streams.ledger import Ledger
from streams.logs import quiet
from streams.metrics.measured import Measured
from streams.once import Engine, Observer, Observers, OnceApp, Silent, die
from streams.pace import Pace
from streams.settings import Settings, SettingsError
from streams.topics import Topics
from streams.views import Agents, mount
from streams.views.metrics import counting
from streams.views.site import Site
from streams.views.tokens import TokensFileError


def create_app(settings: Settings, *, observer: Observer | None = None) -> OnceApp:
    """The Faust app. Raises SettingsError for a facilities or a tokens file that is missing or wrong."""
    return create_site(settings, observer=observer).app


def create_site(settings: Settings, *, observer: Observer | None = None) -> Site:
    """The pages of such an app, and with them the app."""
    quiet(settings)
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
    formats = {
        topic.name: json_procedures.read for topic in (topics.lab_procedures, topics.infusion_procedures)
    }
    sources = Sources(topics, facilities, formats)
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
        die(str(error), code=error.code)
    globals()["app"] = app
    return app
