"""Views: the web pages of a worker, and their JSON twins."""

from streams.holds import Holds
from streams.intake.agent import Intake
from streams.ledger import Ledger
from streams.once import OnceApp
from streams.pace import Pace
from streams.views import desks, doors, health, overview
from streams.views.site import Site
from streams.views.state import Running
from streams.views.tallied import Tallied


def mount(app: OnceApp, site: Site, pace: Pace, intake: Intake, ledger: Ledger, holds: Holds) -> None:
    """Add every page to ``app``."""
    site.begin(app)
    tallied = Tallied([intake.tallies, ledger.tallies, holds.tallies])
    health.mount(app)
    doors.mount(site)
    overview.mount(site, Running(app, pace), tallied)
    desks.mount(site, holds, ledger)
