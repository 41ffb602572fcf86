"""Playing a file into real topics."""

import pytest

from streams.clients import BrokersError
from streams.play import Record, play
from streams.settings import Settings
from streams.topics import Topics
from tests.kafka import read_all

pytestmark = pytest.mark.integration

RECORDS = [Record(topic, b"k", b"{}", []) for topic in ("lab.procedures", "nowhere", "else.where")]


async def test_nothing_is_played_if_a_topic_is_missing(settings: Settings, topics: Topics) -> None:
    """All that are missing are named before the first record is sent."""
    with pytest.raises(BrokersError, match=r"^no topic \S+\.nowhere, \S+\.else\.where to be seen \("):
        await play(settings, RECORDS, topics=[record.topic for record in RECORDS])
    assert await read_all(settings, topics.lab_procedures.name) == []


@pytest.mark.usefixtures("topics")
async def test_a_missing_topic_is_told_where_topics_are_not_known_before(settings: Settings) -> None:
    """The first record that has no topic ends it; nobody waits for a topic that does not come."""
    with pytest.raises(BrokersError, match=r"^no topic \S+\.nowhere to be seen \("):
        await play(settings, RECORDS)
