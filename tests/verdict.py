"""The verdict on what a pipeline wrote."""

from collections.abc import Iterable
from typing import NamedTuple

from models.audit import by_unit, standing_charges
from models.billing import BillingEvent, decode_billing_event
from streams.audit import Report, audit_topics
from streams.settings import Settings
from streams.story import Expected
from streams.topics import Topics
from tests.kafka import read_all


class Verdict(NamedTuple):
    """What the topics hold once all is processed."""

    report: Report
    standing: list[Expected]


async def verdict(settings: Settings) -> Verdict:
    """The audit, and what stands."""
    written = await read_all(settings, Topics.of(settings).billing_events.name)
    standing = stands(decode_billing_event(record.value) for record in written)
    return Verdict(await audit_topics(settings), standing)


def stands(billing_events: Iterable[BillingEvent]) -> list[Expected]:
    """The charges that no credit took back, sorted; one that stands twice is there twice."""
    return sorted(
        Expected(charge.patient, charge.stream, charge.service, charge.service_date, charge.code, charge.unit)
        for charges in standing_charges(by_unit([*billing_events])).values()
        for charge in charges
    )
