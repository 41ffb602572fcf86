"""Published chargemaster lines through the running pipeline, from Kafka to Kafka."""

from collections import Counter
from pathlib import Path

import pytest

from models.billing import Kind, decode_billing_event, decode_decision
from streams.settings import Settings
from streams.topics import Topics
from tests.chargemaster.lines import FACILITIES, chargemaster_events, expected
from tests.integration.live import running
from tests.kafka import Sent, produce, read_all, wait_for

pytestmark = pytest.mark.integration


async def test_every_published_line_becomes_the_charge_its_printed_code_says(
    settings: Settings, topics: Topics, tmp_path: Path
) -> None:
    """270 lines, half of them without the CPT code: a decision each, and a charge for each service."""
    events = list(chargemaster_events())
    settings = settings.model_copy(update={"facilities": FACILITIES})
    with running(settings, tmp_path / "worker.log"):
        places = await produce(
            settings, [Sent(settings.topic_prefix + event.topic, event.value, event.key) for event in events]
        )
        decided = await wait_for(settings, topics.decisions.name, len(events))
        charged = await read_all(settings, topics.billing_events.name)

    decisions = {decision.event_id: decision for decision in map(decode_decision, (r.value for r in decided))}
    charges = {charge.event_id: charge for charge in map(decode_billing_event, (r.value for r in charged))}
    assert len(decisions) == len(decided) == len(events)
    assert len(charges) == len(charged)
    assert {charge.kind for charge in charges.values()} == {Kind.CHARGE}

    wrong = {}
    became: Counter[tuple[str, str]] = Counter()
    for event, place, wanted in zip(events, places, expected(), strict=True):
        event_id = ":".join(map(str, (*place, 0)))
        decision, charge = decisions[event_id], charges.pop(event_id, None)
        found = {
            "outcome": str(decision.outcome),
            "reason": str(decision.reason) if wanted["outcome"] == "held" else "",
            "service": str(charge.service) if charge else "",
            "code": charge.code if charge else "",
            "revenue_code": charge.revenue_code if charge else "",
        }
        stated = "left out" if event.row % 2 == 0 else "stated"
        became[str(charge.service) if charge else str(decision.outcome).replace("_", " "), stated] += 1
        if found != {name: wanted[name] for name in found}:
            wrong[event.row] = found
    print(table(became))
    assert not wrong
    assert not charges


def table(became: Counter[tuple[str, str]]) -> str:
    """What became of the lines, by whether the message stated the CPT code."""
    row = "{:<28}{:>12}{:>14}{:>8}".format
    lines = [row("charged as, or why not", "CPT stated", "CPT left out", "lines")]
    for what in sorted({what for what, _ in became}):
        stated, left_out = became[what, "stated"], became[what, "left out"]
        lines.append(row(what, stated, left_out, stated + left_out))
    return "\n".join(["", *lines])
