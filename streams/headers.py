"""Headers: names of ours on the records of the worklist's topics, and what they say."""

from typing import Any

TYPE = "perdiem-type"
"""What a record of the worklist's topics is. The last of that name holds: a source may have sent one."""
RECORD, ITEM, COMMAND = b"record", b"item", b"command"
"""Put aside; an Item as JSON; a person's command as JSON."""
EVENT_ID = "perdiem-event-id"
DECISION = "perdiem-decision"
"""The decision that says why it was put aside, as JSON, with the patient as we write them: nothing else of a
held record has that, and another facilities file might spell it otherwise."""
REDRIVEN_FROM = "perdiem-redriven-from"
"""On what a redrive sends: ``topic:partition:offset`` of the record that was a dead letter."""
DECIDED = "perdiem-decided"
"""On what a redrive sends, if it is no statement: how many decisions there are about its event already."""


def event_of(record: Any) -> str:
    """The event of a record that agents of ours send each other: that of a command, or its own place."""
    told = dict(record.headers)
    named = told.get(EVENT_ID) if told.get(TYPE) == COMMAND else None
    return named.decode() if named else f"{record.topic}:{record.partition}:{record.offset}:0"


def decided_of(record: Any) -> int:
    """How many decisions there are already about what a redrive sent, where it does not say so itself."""
    said = dict(record.headers).get(DECIDED) or b""
    return int(said) if said.isdigit() else 0
