"""The plain job that Perdiem is compared with."""

from msgspec.json import decode

from bench.load import canonical, messages
from bench.peers.once_per_key import Fields, decide, key_of


def test_a_peer_bills_the_first_of_a_key_and_decides_every_event() -> None:
    """It does as much work as the comparison says: a state change and a decision each, one charge a key."""
    states: dict[str, Fields] = {}
    events = [decode(record.value or b"") for record in canonical(messages(300))]
    charges, decisions = [], []
    for event in events:
        key = key_of(event)
        verdict = decide(key, states.get(key), event)
        assert verdict.state != states.get(key)
        states[key] = verdict.state
        decisions.append(verdict.decision["event_id"])
        charges += [verdict.billing["id"]] if verdict.billing else []
    assert decisions == [event["event_id"] for event in events]
    assert sorted(charges) == sorted(states)
    assert 0 < len(charges) < len(events)
