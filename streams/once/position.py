"""Position: the record in a changelog that ties its state to its source."""

from hashlib import blake2b

import msgspec

POSITION_KEY = b"position"
SCHEMA = 1


class Position(msgspec.Struct, frozen=True):
    """Written last in every unit of work, under ``POSITION_KEY``.

    ``digest`` is chained: blake2b over the former digest and everything the unit wrote to the
    changelog, so two histories never share one.
    """

    topic: str
    partition: int
    partitions: int
    """Of the source topic when this was written: a change would move keys, so it is refused."""
    end: int
    """The next offset of the source to process."""
    digest: str
    schema: int = SCHEMA
    group: str = ""
    """Who wrote this; empty where a former version did."""
    topic_id: str = ""
    """Kafka's of the source topic, which one that is created again under its name does not have."""


encode_position = msgspec.json.Encoder().encode
decode_position = msgspec.json.Decoder(Position).decode


def chain(digest: str, records: list[tuple[bytes, bytes | None]]) -> str:
    """The digest after ``records`` were written behind a state whose digest was ``digest``."""
    h = blake2b(digest.encode(), digest_size=16)
    for key, value in records:
        h.update(key)
        h.update(value or b"")
    return h.hexdigest()
