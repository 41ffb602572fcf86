"""Window: how many of a source partition's latest records became dead letters."""

from streams.once import Codec, Refused

WINDOWS: Codec[str, bytes] = Codec(str.encode, bytes.decode, bytes, bytes)


class Window:
    """The latest ``size`` records of one source partition, one byte each: 1 for a dead letter.

    Kept in a table, so a restart does not forget it.
    """

    def __init__(self, content: bytes, size: int, limit: float) -> None:
        self._records = bytearray(content[-size:])
        self._size = size
        self._limit = limit
        self._dead = sum(self._records)

    @property
    def content(self) -> bytes:
        return bytes(self._records[-self._size :])

    def add(self, dead_letter: bool) -> None:
        self._records.append(dead_letter)
        self._dead += dead_letter
        if len(self._records) > self._size:
            self._dead -= self._records[-self._size - 1]

    def check(self, name: str) -> None:
        """Raises Refused when the window is full and too large a share of it are dead letters."""
        share = self._dead / self._size
        if len(self._records) >= self._size and share > self._limit:
            raise Refused(
                f"{share:.0%} of the latest {self._size} records became dead letters, more than "
                f"{self._limit:.0%}: nothing of this batch was taken; see what {name.split('[')[0]} sends, "
                "or raise PERDIEM_DEAD_LETTER_LIMIT"
            )
