"""Views: the web pages of a worker, and their JSON twins."""

from typing import NamedTuple

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
from streams.views.worklist import Worklist


class Agents(NamedTuple):
    """What keeps the state that the pages show."""

    intake: Intake
    ledger: Ledger
    holds: Holds
    identity: Identity


def mount(app: OnceApp, site: Site, pace: Pace, measured: Measured, sources: Sources, agents: Agents) -> None:
    """Add every page to ``app``."""
    site.begin(app)
    facilities = sources.facilities
    tallies = [agents.intake.tallies, agents.ledger.tallies, agents.holds.tallies]
    measured.balance.tallies = tallies
    running, tallied = Running(app, pace), Tallied(tallies)
    known = Known(site.settings, agents.ledger, agents.identity)
    known.add_to(site.workers)
    worklist = Worklist(site, agents.holds, agents.ledger)
    records, hrefs = Records(site.settings, sources, agents.holds), Hrefs(site)

    health.mount(app)
    doors.mount(site)
    sign_in.mount(site)
    overview.mount(site, running, tallied)
    days.mount(site, tallied, facilities)
    metrics.mount(site, running, measured)
    find.mount(site, known, worklist, records, hrefs, facilities)
    patient.mount(site, known, hrefs)
    patient_day.mount(site, known, records, hrefs)
    episode.mount(site, known, hrefs)
    desks.mount(site, worklist, hrefs, facilities)
