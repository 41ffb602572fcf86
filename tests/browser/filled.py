"""Filled: two workers of an installation, and something on every page of theirs."""

import json
from typing import Any, NamedTuple

from streams.local_worker import LocalWorker
from streams.play import play, read_file
from tests.integration.live import Live, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import Sent

MRN = "4711"
DATE = "2025-03-10"
"""The patient and the day on which one collection is charged and another one is not."""


class Filled(NamedTuple):
    live: Live
    one: LocalWorker
    other: LocalWorker


def stated(procedure_id: str, hour: int, mrn: str = MRN, **more: Any) -> bytes:
    patient = {"mrn": mrn, "assigning_authority": "LAKE"}
    performed = {"start": f"{DATE}T{hour:02}:00:00"}
    return said(procedure_id, **({"patient": patient, "performed": performed} | more))


async def fill(live: Live) -> None:
    """The example day, a patient of whom much was said, and an item of each kind that waits."""
    await play(live.settings, read_file(EXAMPLES / "day.jsonl"))
    products: dict[str, Any] = {"products": ["W4711"]}
    await live.take(
        [
            stated("C1", 9, version=1, account_number="A1", **products),
            stated("C1", 10, version=2, account_number="A2", **products),
            stated("C2", 12, **products),
            stated("C2", 12, **products),
            stated("T1", 14, code="38226", **products),
            stated("T1", 14, code="38226", version=2, status="withdrawn", **products),
            stated("X1", 9, "4712", **products),  # a product under two patients: an alert
            stated("K1", 9, "4713"),
            stated("K2", 9, "4714"),
        ]
    )
    charges = {event.procedure.procedure_id: event for event in await live.billing_events()}
    for procedure, status in (("K1", "on_claim"), ("K2", "refused")):
        charge = charges[procedure]
        ack = {"charge_id": charge.charge_id, "patient": charge.patient, "status": status}
        if status == "refused":
            ack["reason"] = "the account is closed"
        await live.take([Sent("billing.acks", json.dumps(ack).encode(), charge.patient.encode())])
    await live.take([stated("K1", 11, "4713", version=2, account_number="A9")])  # held: it would credit
