"""Views: the web pages of a worker, and their JSON twins."""

from streams.holds import Holds
from streams.intake.agent import Intake
from streams.ledger import Ledger
from streams.metrics.measured import Measured
from streams.once import OnceApp
from streams.pace import Pace
from streams.views import days, doors, health, metrics, overview, sign_in
from streams.views.site import Site
from streams.views.state import Running
from streams.views.tallied import Tallied


def mount(
    app: OnceApp, site: Site, pace: Pace, measured: Measured, intake: Intake, ledger: Ledger, holds: Holds
) -> None:
    """Add every page to ``app``."""
    site.begin(app)
    tallies = [intake.tallies, ledger.tallies, holds.tallies]
    running, tallied = Running(app, pace), Tallied(tallies)
    measured.balance.tallies = tallies
    health.mount(app)
    doors.mount(site)
    sign_in.mount(site)
    overview.mount(site, running, tallied)
    days.mount(site, tallied, intake.facilities)
    metrics.mount(site, running, measured)
