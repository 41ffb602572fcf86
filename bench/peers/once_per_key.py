"""The plain job that the peers do: one billing record for the first event of a key, a decision for each.

Its outputs have the fields, and so about the size, of Perdiem's. It knows no corrections, withdrawals,
repeats or promotions: what the rule does beyond it is in Perdiem's figures only.
"""

import os
from typing import Any, NamedTuple

Fields = dict[str, Any]

ABOUT = ("source", "procedure_id", "patient", "facility", "stream", "service", "service_date", "code")
CHARGED = (
    "patient",
    "facility",
    "stream",
    "service",
    "service_date",
    "code",
    "revenue_code",
    "charge_code",
    "account_number",
    "encounter_number",
    "patient_class",
    "performers",
    "performed_start",
    "performed_end",
    "product_ids",
    "event_id",
)


class Given(NamedTuple):
    """What every peer is told, by environment variables."""

    brokers: str
    group: str
    source: str
    billing: str
    decisions: str
    partitions: int
    folder: str

    @classmethod
    def of_environment(cls) -> "Given":
        texts = {name: os.environ[f"BENCH_{name.upper()}"] for name in cls._fields}
        return cls(**{**texts, "partitions": int(texts["partitions"])})  # type: ignore[arg-type]


class Verdict(NamedTuple):
    """What one event brings about. ``state`` is that of the key, and changes with every event."""

    state: Fields
    decision: Fields
    billing: Fields | None


def key_of(event: Fields) -> str:
    parts = ("patient", "stream", "service", "service_date")
    return "|".join(str(event.get(part)) for part in parts)


def decide(key: str, state: Fields | None, event: Fields) -> Verdict:
    event_id = event["event_id"]
    decision = {
        "type": "decision",
        "event_id": event_id,
        "sequence": 1,
        "cause": event_id,
        **{name: event[name] for name in ABOUT if name in event},
        "received": event["received"],
    }
    if state is not None:
        decision |= {"outcome": "already_reported", "covered_by": state["first"]}
        return Verdict({"first": state["first"], "seen": state["seen"] + 1}, decision, None)
    billing = {
        "type": "billing_event",
        "kind": "charge",
        "id": key,
        "unit": 1,
        "sequence": 1,
        "units": 1,
        "code_system": "CPT",
        **{name: event[name] for name in CHARGED if name in event},
        "cause": event_id,
        "reason": "first_of_day",
    }
    decision |= {"outcome": "reported", "reason": "first_of_day", "charge_id": key}
    return Verdict({"first": event_id, "seen": 1}, decision, billing)
