"""The catalogue of topics, without a broker."""

from pathlib import Path

from streams.brokers import is_too_old
from streams.settings import Settings
from streams.topics import Topics, document

FETCH, API_VERSIONS = 1, 18
DOCUMENT = Path(__file__).parents[2] / "docs" / "topics.md"


def test_the_documented_topics_are_the_real_ones() -> None:
    """docs/topics.md says what the code does; `make docs` renews it."""
    assert DOCUMENT.read_text() == document()


def test_the_prefix_stands_before_every_name() -> None:
    """Two installations on one Kafka keep apart by their prefix alone."""
    topics = Topics.of(Settings.isolated(topic_prefix="site-a."))
    assert all(topic.name.startswith("site-a.") for topic in topics.all)
    assert len({topic.name for topic in topics.all}) == len(topics.all)


def test_each_topic_that_is_read_has_a_changelog_of_its_own() -> None:
    """What intake remembers of the lab is never mixed with what it remembers of the infusion unit."""
    topics = Topics.of(Settings.isolated())
    assert topics.intake_states.keys() == {topic.name for topic in topics.sources}
    states = [state for agent in topics.agents.values() for state in agent.values()]
    assert len({state.name for state in states}) == len(states) == 8
    assert all(state.compacted for state in states)


def test_what_is_ours_is_kept_for_ever() -> None:
    """Topics of ours are the audit trail: no time or size ends them. Source topics are not ours to set."""
    topics = Topics.of(Settings.isolated())
    assert topics.billing_events.config == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
    }
    assert topics.lab_procedures.config == {"cleanup.policy": "delete"}


def test_a_broker_older_than_kafka_4_is_told_apart() -> None:
    """Kafka 3.9 still serves Fetch from version 0, Kafka 4.0 from version 4."""
    assert is_too_old([(FETCH, 0, 17), (API_VERSIONS, 0, 4)])
    assert is_too_old([(API_VERSIONS, 0, 4)])
    assert not is_too_old([(FETCH, 4, 17), (API_VERSIONS, 0, 4)])
