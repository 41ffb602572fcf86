"""Views: the web pages of a worker, and their JSON twins."""

from streams.holds import Holds
from streams.identity import Identity
from streams.intake.agent import Intake
from streams.intake.sources import Sources
from streams.ledger import Ledger
from streams.once import OnceApp
from streams.pace import Pace
from streams.views import doors, episode, find, health, overview, patient, patient_day
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
    sources: Sources,
    intake: Intake,
    ledger: Ledger,
    holds: Holds,
    identity: Identity,
) -> None:
    """Add every page to ``app``."""
    site.begin(app)
    tallied = Tallied([intake.tallies, ledger.tallies, holds.tallies])
    health.mount(app)
    doors.mount(site)
    overview.mount(site, Running(app, pace), tallied)
    known, hrefs = Known(site.settings, ledger, identity, holds), Hrefs(site)
    if site.secret is not None:
        known.add_to(site.workers)
    records = Records(site.settings, sources, holds)
    find.mount(site, known, records, hrefs, sources.facilities)
    patient.mount(site, known, hrefs)
    patient_day.mount(site, known, records, hrefs)
    episode.mount(site, known, hrefs)
