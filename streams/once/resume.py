"""Resume: where a partition goes on, from what was committed, what was done and what is there."""

import logging
from typing import NamedTuple

from aiokafka import TopicPartition

from streams.once.failure import Refused
from streams.once.position import Position

log = logging.getLogger(__name__)


class Offsets(NamedTuple):
    """Of a source partition: what ``group`` committed (None: nothing), where the log begins and ends."""

    committed: int | None
    beginning: int
    end: int
    group: str = ""
    topic_id: str = ""


def resume(tp: TopicPartition, position: Position | None, offsets: Offsets, partitions: int) -> int:
    """The offset at which ``tp`` goes on; ``position`` is the last record of its changelog's.

    Raises Refused with the range of records that would be lost or done twice, and what to do about it.
    """
    name = f"{tp.topic}[{tp.partition}]"
    beginning, end = offsets.beginning, offsets.end
    if position is None:
        at = _start(tp, offsets.committed, beginning)
    else:
        at = _after(tp, position, offsets, partitions)
    if at < beginning:
        raise Refused(
            f"{name}: records {at} to {beginning - 1} were deleted before they were processed: "
            f"restore them, or accept the loss by resetting the group's offset to {beginning}"
        )
    if at > end:
        raise Refused(
            f"{name}: {at} was reached, but the log ends at {end}: "
            "it was deleted and created again, or truncated"
        )
    return at


def _start(tp: TopicPartition, committed: int | None, beginning: int) -> int:
    """Without a changelog nothing may have been done: going on without the state would do it twice."""
    if committed is not None and committed > beginning:
        raise Refused(
            f"{tp.topic}[{tp.partition}]: offsets to {committed} were committed, but its changelog is empty: "
            "restore the changelog; without it what was done would be done again"
        )
    if beginning > 0:
        log.warning("begins where its log begins", extra={**tp._asdict(), "offset": beginning})
    return beginning


def _after(tp: TopicPartition, position: Position, offsets: Offsets, partitions: int) -> int:
    name = f"{tp.topic}[{tp.partition}]"
    if position.partitions != partitions or position.topic != tp.topic:
        raise Refused(
            f"{name}: its changelog was written with {position.partitions} partitions of "
            f"{position.topic}, now there are {partitions}: patients would change "
            "partitions; keep the count it was created with"
        )
    if position.group not in ("", offsets.group):
        raise Refused(
            f"{name}: its changelog is that of group {position.group}, this is {offsets.group}: both would "
            "process every record; keep the name, or give the other one topics of its own"
        )
    done, at = position.end, offsets.committed
    # With a topic Kafka forgets its offsets; in a cluster that was restored whole they are still there.
    if at is None and position.topic_id not in ("", offsets.topic_id):
        raise created_again(tp, done)
    if at is None or at == done:
        return done
    if at < done:
        what = "offsets were reset: read again, nothing is charged twice"
        log.warning(what, extra={**tp._asdict(), "reached": done, "offset": at})
    elif at <= offsets.beginning:
        what = "records were deleted, and their loss accepted"
        log.warning(what, extra={**tp._asdict(), "first": done, "last": at - 1})
    else:
        raise Refused(
            f"{name}: offsets {done} to {at - 1} were committed but never processed here: "
            f"reset the group's offset to {done}"
        )
    return at


def created_again(tp: TopicPartition, done: int) -> Refused:
    """``done`` records of the former topic were processed."""
    return Refused(
        f"{tp.topic}[{tp.partition}]: the topic was deleted and created again: its first {done} records "
        "would pass for those that were processed; give it and its changelog new names"
    )
