"""Foresight: what a person's command on an item would bring about, by what the topics hold now."""

from typing import NamedTuple

from models.billing import BillingEvent, Decision, Outcome
from models.commands import Discard, Redrive, Reject, Release
from models.entries import AnyEntry
from models.facilities import Facilities
from models.hearing import RULED, Again, hear
from models.posting import post
from models.routing import Routed
from models.worklist import Item
from streams.intake.sources import Sources
from streams.kept import kept
from streams.reading import reader
from streams.settings import Settings
from streams.topics import Topics

HYPOTHETICAL = "preview:0:0:0"
"""Stands for the event of a command that was not given."""
NOWHERE = Facilities.model_construct(authorities=(), facilities=())


class Foreseen(NamedTuple):
    """What a command would bring about in the ledger of its item's patient, and nowhere else."""

    decisions: list[Decision]
    """On the events of the item, and on others."""
    billing_events: list[BillingEvent]
    is_refused: bool
    """The item would stay as it is; the decisions say why."""
    is_whole: bool
    """False: more would follow elsewhere, at another patient's ledger say."""


async def foresee(
    settings: Settings, item: Item, said: Release | Reject | Redrive | Discard, facilities: Facilities | None
) -> Foreseen | None:
    """What ``said`` would do to ``item``, which is read whole. Nothing is written.

    None where it cannot be told: the rule fails on it, or it depends on ``facilities`` and there are none.
    Without them only whether a source's record can be read is. Raises ``BrokersError``, ``ReadingError``.
    """
    topics = Topics.of(settings)
    sources = Sources.of(topics, facilities or NOWHERE)
    resolved = facilities is not None or item.kind in RULED or isinstance(said, Reject | Discard)
    readable = isinstance(said, Redrive) and sources.states_procedures(item.topic or "")
    if not resolved and not readable:
        return None
    try:
        hearing = hear(item, said, HYPOTHETICAL, sources.take_in_again)
        refused = hearing.decision.outcome is not Outcome.APPLIED
        if not resolved and not refused:
            return None
        found = Foreseen([each for each in hearing.taken if isinstance(each, Decision)], [], refused, True)
        for taken in hearing.taken:
            if isinstance(taken, Routed | Again):
                found = found._replace(is_whole=False)
            elif not isinstance(taken, Decision):
                found = await _posted(settings, taken, found)
    except ValueError:
        return None
    return found


async def _posted(settings: Settings, entry: AnyEntry, found: Foreseen) -> Foreseen:
    """``found``, and what ``entry`` would bring about. Raises ``ValueError`` where the rule fails on it."""
    async with reader(settings) as source:
        now = await kept(source, Topics.of(settings).patient_days.name, entry.patient)
    days = {day.service_date: day for day in now.days}
    posting = post(now.patient, days.get, entry)
    return Foreseen(
        [*found.decisions, *posting.decisions],
        [*found.billing_events, *posting.billing_events],
        found.is_refused,
        found.is_whole and not posting.sent,
    )
