"""Table: what Faust readers see of the state; Slice: the part of it that one owner holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from streams.once.failure import Refused
from streams.once.store import Store

if TYPE_CHECKING:
    from streams.once.unit import UnitOfWork

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

current_unit: ContextVar["UnitOfWork | None"] = ContextVar("current_unit", default=None)
"""The unit of work that is being filled, where one is."""


@dataclass(frozen=True)
class Codec(Generic[K, V]):
    """How a table's keys and values become bytes."""

    encode_key: Callable[[K], bytes]
    decode_key: Callable[[bytes], K]
    encode: Callable[[V], bytes]
    decode: Callable[[bytes], V]


class Slice(Generic[K, V]):
    """One owner's part of a table.

    Decoded values are not kept: their many small objects leave the processor's caches between two uses,
    and to collect them there takes longer than to decode again what lies in one piece (docs/decisions.md).
    """

    def __init__(self, table: "Table[K, V]", store: Store) -> None:
        self._codec = table.codec
        self._prefix = table.prefix
        self._name = table.name
        self._store = store

    def get(self, key: K) -> V | None:
        return self.decode(self._store.get(self.encode_key(key)))

    def encode_key(self, key: K) -> bytes:
        return self._prefix + self._codec.encode_key(key)

    def encode(self, value: V | None) -> bytes | None:
        """The value as the changelog holds it; None deletes."""
        return None if value is None else self._codec.encode(value)

    def decode(self, raw: bytes | None) -> V | None:
        if raw is None:
            return None
        try:
            return self._codec.decode(raw)
        except Exception as error:
            raise Refused(
                f"table {self._name}: a value of its state cannot be read ({type(error).__name__}): "
                "was it written by a later version?"
            ) from error

    def __iter__(self) -> Iterator[K]:
        skip = len(self._prefix)
        for key, _ in self._store.items(self._prefix):
            yield self._codec.decode_key(key[skip:])

    def items(self, first: bytes = b"", last: bytes = b"") -> Iterator[tuple[K, V]]:
        """Keys and values in the order of the encoded keys: from ``first`` on, up to those that begin with
        ``last``."""
        skip, end = len(self._prefix), len(self._prefix) + len(last)
        for key, raw in self._store.items(self._prefix, self._prefix + first):
            if key[skip:end] > last:
                return
            value = self.decode(raw)
            if value is not None:
                yield self._codec.decode_key(key[skip:]), value

    def items_backwards(self, last: bytes = b"") -> Iterator[tuple[K, V]]:
        """Keys and values, the last encoded key first, from those that begin with ``last`` on."""
        skip = len(self._prefix)
        for key, raw in self._store.items_backwards(self._prefix, self._prefix + last):
            value = self.decode(raw)
            if value is not None:
                yield self._codec.decode_key(key[skip:]), value


class Table(Mapping[K, V]):
    """A table of the app, read as a Faust table is, across the partitions this worker owns.

    It is written only while an agent fills a unit of work, and only the slice of the partition
    that the unit's batch came from; ``table[key]`` then sees what the unit wrote. Writing it
    anywhere else raises RuntimeError. A key missing here may live on another worker.
    """

    is_global = False
    """Asked by Faust's assignor."""

    def __init__(
        self, name: str, codec: Codec[K, V], slices: Callable[["Table[K, V]"], Iterable[Slice[K, V]]]
    ) -> None:
        self.name = name
        self.codec = codec
        self.prefix = name.encode() + b"\0"
        self._slices = slices

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(self.name)
        return value

    @overload
    def get(self, key: K) -> V | None: ...

    @overload
    def get(self, key: K, default: V | D) -> V | D: ...

    def get(self, key: K, default: Any = None) -> Any:
        """As of any mapping; its own, since the detour over KeyError costs 2 us for what is not there."""
        unit = current_unit.get()
        if unit is not None:
            value = unit.read(self, key)
            return default if value is None else value
        for part in self._slices(self):
            value = part.get(key)
            if value is not None:
                return value
        return default

    def __setitem__(self, key: K, value: V) -> None:
        self._unit().write(self, key, value)

    def __delitem__(self, key: K) -> None:
        self._unit().write(self, key, None)

    def _unit(self) -> "UnitOfWork":
        unit = current_unit.get()
        if unit is None:
            raise RuntimeError(f"table {self.name}: written only while an agent fills a unit of work")
        return unit

    def __iter__(self) -> Iterator[K]:
        for part in self._slices(self):
            yield from part

    def __len__(self) -> int:
        return sum(1 for _ in self)

    __hash__ = object.__hash__
    __eq__ = object.__eq__


AnyTable = Table[Any, Any]
