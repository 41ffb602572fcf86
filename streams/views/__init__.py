"""Views: the web pages of a worker, and their JSON twins."""

from streams.holds import Holds
from streams.identity import Identity
from streams.intake.agent import Intake
from streams.intake.sources import Sources
from streams.ledger import Ledger
from streams.metrics.measured import Measured
from streams.once import OnceApp
from streams.pace import Pace
from streams.views import (
    days,
    desks,
    doors,
    episode,
    find,
    health,
    metrics,
    overview,
    patient,
    patient_day,
    sign_in,
)
from streams.views.hrefs import Hrefs
from streams.views.known import Known
from streams.views.records import Records
from streams.views.site import Site
from streams.views.state import Running
from streams.views.tallied import Tallied


def mount(
    app: OnceApp,
    site: Site,
    pace: Pace,
    measured: Measured,
    sources: Sources,
    intake: Intake,
    ledger: Ledger,
    holds: Holds,
    identity: Identity,
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
    known, hrefs = Known(site.settings, ledger, identity, holds), Hrefs(site)
    if site.secret is not None:
        known.add_to(site.workers)
    records = Records(site.settings, sources, holds)
    find.mount(site, known, records, hrefs, sources.facilities)
    patient.mount(site, known, hrefs)
    patient_day.mount(site, known, records, hrefs)
    episode.mount(site, known, hrefs)
    desks.mount(site, holds, ledger)
