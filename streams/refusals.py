"""Refusals: which events were held or failed on, so that none is decided twice when it is delivered again."""

import msgspec

from streams.once import Codec, OnceApp

REFUSED: Codec[str, int] = Codec(
    str.encode, bytes.decode, msgspec.json.Encoder().encode, msgspec.json.Decoder(int).decode
)
"""By event id: the number of its last decision then."""


class Refusals:
    """What an agent of its partition knows to be on the worklist, or to have been there; a table ``name``."""

    def __init__(self, app: OnceApp, name: str) -> None:
        self.table = app.once_table(name, REFUSED)

    def last(self, event_id: str) -> int:
        """How many decisions there were about it when it was put aside; 0 if it never was."""
        return self.table.get(event_id, 0)

    def waits(self, event_id: str, decided: int) -> bool:
        """Whether it is delivered as it was before it was put aside, ``decided`` times decided by then.

        A person has the word since: what a release or a redrive sends says that it follows on.
        """
        return decided < self.last(event_id)

    def note(self, event_id: str, sequence: int) -> None:
        """It was put aside, and its last decision has this number."""
        if self.last(event_id) != sequence:
            self.table[event_id] = sequence
