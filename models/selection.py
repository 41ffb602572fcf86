"""Selection: which items of the worklist are asked for."""

import msgspec

from models.worklist import Item, Kind, State


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an item must be; None: whatever it is."""

    kind: Kind | None = None
    state: State | None = None
    reason: str | None = None
    facility: str | None = None
    source: str | None = None
    """A source, or the topic of the source record."""
    since: int | None = None
    """Milliseconds since the epoch: listed from then on."""
    until: int | None = None
    """Milliseconds since the epoch: listed before then."""

    def fits(self, item: Item) -> bool:
        return (
            self.kind in (None, item.kind)
            and self.state in (None, item.state)
            and self.reason in (None, item.reason)
            and self.facility in (None, item.facility)
            and self.source in (None, item.source, item.topic)
            and (self.since is None or item.since >= self.since)
            and (self.until is None or item.since < self.until)
        )
