"""The headers that say what an event is, before its value is read."""

from pathlib import Path
from typing import Any

from models.billing import decode_billing_event, decode_decision
from tests.integration.live import said
from tests.streams.desk import Desk
from tests.streams.test_holds import LAB


def test_a_charge_is_followed_to_its_source_event_by_headers_alone(tmp_path: Path) -> None:
    """Every decision and billing event names the event it tells of, and the one that brought it about."""
    desk = Desk(tmp_path)
    first = desk.take(LAB, said("P"))
    later = desk.take(LAB, said("P", version=2, status="withdrawn"))
    [charge, credit] = desk.logs["billing.events"]
    assert [names(charge), names(credit)] == [(first, first), (first, later)]
    for record in desk.logs["billing.events"]:
        event = decode_billing_event(record.value)
        assert names(record) == (event.event_id, event.cause)
    for record in desk.logs["billing.decisions"]:
        decision = decode_decision(record.value)
        assert names(record) == (decision.event_id, decision.cause)


def names(record: Any) -> tuple[str, str]:
    headers = dict(record.headers)
    return headers["ce_correlationid"].decode(), headers["ce_causationid"].decode()
