"""Patients: whom the played records speak of, and whether anybody named one of them."""

import re
from collections.abc import Iterable, Iterator

from streams.play import Record

FIRST = 47_110_001
"""Number of the first simulated patient: no offset, port or year looks like it."""
_STATED = re.compile(rb'"mrn":\s*"\D*(\d+)"|"\w+\|\D*(\d+)"')
_NUMBERS = re.compile(r"\d{8,}")


class Patients:
    """Those of the records that went ``through``, as sources and people's commands name them."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()

    def through(self, records: Iterable[Record]) -> Iterator[Record]:
        """``records``, each when it is asked for."""
        for record in records:
            for mrn, of_authority in _STATED.findall(record.value or b""):
                self._numbers.add(int(mrn or of_authority))
            yield record

    def named_in(self, said: str) -> set[int]:
        """Whose number stands in ``said``, alone or in that of an account or a product."""
        assert self._numbers
        assert min(self._numbers) >= FIRST
        return self._numbers & {int(number) for number in _NUMBERS.findall(said)}
