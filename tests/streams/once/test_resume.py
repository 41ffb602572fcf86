"""Where a partition goes on: never past what was not done, and never without the state of what was."""

import msgspec
import pytest
from aiokafka import TopicPartition

from streams.once.failure import Refused
from streams.once.position import Position
from streams.once.resume import Offsets, resume

SOURCE = TopicPartition("procedures", 3)
PARTITIONS = 8


def done(end: int, partitions: int = PARTITIONS) -> Position:
    """The changelog's last position record."""
    return Position(topic="procedures", partition=3, partitions=partitions, end=end, digest="d")


@pytest.mark.parametrize(
    ("position", "committed", "beginning", "at"),
    [
        (None, None, 0, 0),
        (None, None, 40, 40),
        (None, 40, 40, 40),
        (done(70), 70, 0, 70),
        (done(70), None, 0, 70),
        (done(70), 10, 0, 10),
        (done(70), 80, 80, 80),
    ],
    ids=[
        "new",
        "new, behind a deletion",
        "nothing done yet",
        "as left",
        "forgotten",
        "reset",
        "loss accepted",
    ],
)
def test_a_partition_goes_on_where_it_stopped(
    position: Position | None, committed: int | None, beginning: int, at: int
) -> None:
    """New, as it was left, after the group's offsets expired or were reset, and after an accepted loss."""
    assert resume(SOURCE, position, Offsets(committed, beginning, 100), PARTITIONS) == at


@pytest.mark.parametrize(
    ("position", "offsets", "line"),
    [
        (None, Offsets(50, 0, 100), "offsets to 50 were committed, but its changelog is empty"),
        (done(70), Offsets(80, 0, 100), "offsets 70 to 79 were committed but never processed here"),
        (done(70), Offsets(70, 75, 100), "records 70 to 74 were deleted before they were processed"),
        (done(70), Offsets(70, 0, 60), "70 was reached, but the log ends at 60"),
        (
            done(70, partitions=4),
            Offsets(70, 0, 100),
            "written with 4 partitions of procedures, now there are 8",
        ),
        (
            msgspec.structs.replace(done(70), group="perdiem"),
            Offsets(None, 0, 100, group="another"),
            "its changelog is that of group perdiem, this is another",
        ),
        (
            msgspec.structs.replace(done(70), topic_id="a"),
            Offsets(None, 0, 100, topic_id="b"),
            "the topic was deleted and created again: its first 70 records would pass for those that were",
        ),
    ],
    ids=[
        "changelog lost",
        "offsets ahead",
        "records deleted",
        "log cut",
        "partitions changed",
        "another installation",
        "topic made anew",
    ],
)
def test_what_would_lose_or_repeat_is_refused(position: Position | None, offsets: Offsets, line: str) -> None:
    """Each is one line that names topic, partition and the range of records."""
    with pytest.raises(Refused, match=r"procedures\[3\]: ") as refused:
        resume(SOURCE, position, offsets, PARTITIONS)
    assert line in str(refused.value)
