"""Schema: which shape of the state a worker wrote, so that an older one does not misread it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec


class Versioned(Protocol):
    @property
    def schema(self) -> int: ...


T = TypeVar("T", bound=Versioned)


class NewerSchemaError(ValueError):
    """A part of the state was written by a later version than this one."""


class _Schema(msgspec.Struct):
    schema: int


def decoder(of: type[T], what: str, newest: int, *, packed: bool = False) -> Callable[[bytes], T]:
    """Decodes ``of`` as this version wrote it or an earlier one; ``what`` names it to people.

    ``packed``: it is written in MessagePack, not in JSON. The decoder raises ``NewerSchemaError`` if the
    schema is above ``newest``, ``msgspec.ValidationError`` if it is none.
    """
    encoding = msgspec.msgpack if packed else msgspec.json
    decode_whole: Callable[[bytes], T] = encoding.Decoder(of).decode
    decode_schema: Callable[[bytes], _Schema] = encoding.Decoder(_Schema).decode

    def check(schema: int) -> None:
        if schema > newest:
            raise NewerSchemaError(f"{what} has schema {schema}, this version reads up to {newest}")

    def decode(encoded: bytes) -> T:
        try:
            value = decode_whole(encoded)
        except msgspec.ValidationError:
            # Perhaps because a later version wrote it. Asked first it would cost 2 us a patient-day.
            check(decode_schema(encoded).schema)
            raise
        check(value.schema)
        return value

    return decode
