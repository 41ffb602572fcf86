"""Store: one partition's state on local disk, a cache of its changelog."""

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import rocksdict

from streams.once.failure import Fault

log = logging.getLogger(__name__)

SCHEMA = 1
_APPLIED = b"applied"
_BLOCK_CACHE = rocksdict.Cache(32 << 20)


class Applied(msgspec.Struct, frozen=True):
    """How far the store has followed which changelog."""

    cluster: str
    topic: str
    partition: int
    offset: int
    """Of the last position record applied."""
    digest: str
    schema: int = SCHEMA


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Applied).decode


def _options() -> rocksdict.Options:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    # Of each partition, twice. RocksDB's own default is 64 MiB; with 4 a busy worker held 33 MiB more.
    options.set_write_buffer_size(2 << 20)
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(64)
    # Of RocksDB's own log; by default the last thousand starts.
    options.set_keep_log_file_num(2)
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(_BLOCK_CACHE)
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options


def _without_log() -> rocksdict.WriteOptions:
    options: Any = rocksdict.WriteOptions()
    options.disable_wal = True  # an attribute, though the package's types call it a method
    return cast(rocksdict.WriteOptions, options)


class Store:
    """Keys and values as the changelog holds them, under ``folder``.

    Written only after the broker has committed. Without a write-ahead log: what a crash takes is
    read again from the changelog, and a write is still whole or absent.
    """

    def __init__(self, folder: Path, cluster: str, topic: str, partition: int) -> None:
        self._folder = folder
        self._identity = (cluster, topic, partition)
        self._write = _without_log()
        self._db = self._open()
        self.applied = self._read_applied()

    def _open(self) -> rocksdict.Rdict:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            return rocksdict.Rdict(str(self._folder), options=_options())
        except Exception as error:
            if f"{self._folder}/LOCK: " in str(error):
                raise  # another process holds it
            self._tell("it cannot be opened")
            shutil.rmtree(self._folder, ignore_errors=True)
            return rocksdict.Rdict(str(self._folder), options=_options())

    def _read_applied(self) -> Applied | None:
        try:
            raw = self._db.get(_APPLIED)
            empty = raw is None and next(iter(self._db.keys()), None) is None
        except Exception:
            self.wipe("it is damaged")
            return None
        if raw is None:
            if not empty:
                self.wipe("it does not say which changelog it follows")
            return None
        try:
            applied = _decode(raw)
        except msgspec.DecodeError:
            self.wipe("what it says of its changelog cannot be read")
            return None
        if applied.schema != SCHEMA or (applied.cluster, applied.topic, applied.partition) != self._identity:
            self.wipe("it follows another cluster, topic or schema")
            return None
        return applied

    def wipe(self, why: str) -> None:
        """Throw the content away; the changelog holds everything."""
        self._tell(why)
        with suppress(Exception):
            self._db.close()  # of a damaged one it says so once more
        shutil.rmtree(self._folder, ignore_errors=True)
        self._db = rocksdict.Rdict(str(self._folder), options=_options())
        self.applied = None

    def _tell(self, why: str) -> None:
        _, topic, partition = self._identity
        told = {"changelog": topic, "partition": partition, "why": why}
        log.warning("the local store is built again", extra=told)

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._fault("cannot be read", error) from error
        return value

    def items(self, prefix: bytes, first: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key and value under ``prefix``, in key order, from ``first`` on."""
        at = first or prefix
        for found, value in self._db.items(from_key=at):
            at = cast(bytes, found)
            if not at.startswith(prefix):
                return
            yield at, value
        self._check_end(at)

    def items_backwards(self, prefix: bytes, last: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key and value under ``prefix``, the last key first, from those with ``last`` on."""
        # 0xff stands in no UTF-8, so it comes after whatever else begins alike.
        at = (last or prefix) + b"\xff"
        for found, value in self._db.items(backwards=True, from_key=at):
            at = cast(bytes, found)
            if not at.startswith(prefix):
                return
            yield at, value
        self._check_end(at, backwards=True)

    def _check_end(self, at: bytes, *, backwards: bool = False) -> None:
        """RocksDB's iterator ends at a damaged block as at the last key; behind ``at`` it says which."""
        iterator = self._db.iter()
        try:
            if backwards:
                iterator.seek_for_prev(at)
            else:
                iterator.seek(at)
            if iterator.valid():
                iterator.prev() if backwards else iterator.next()
            iterator.status()
        except Exception as error:
            raise self._fault("cannot be read", error) from error

    def apply(
        self, records: Iterable[tuple[bytes, bytes | None]], position: tuple[int, str] | None = None
    ) -> None:
        """Write ``records`` (value None deletes) and, where known, offset and digest of the position record.

        One RocksDB write: all of it or nothing.
        """
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in records:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if position is not None:
            cluster, topic, partition = self._identity
            self.applied = Applied(
                cluster=cluster, topic=topic, partition=partition, offset=position[0], digest=position[1]
            )
            batch.put(_APPLIED, _encode(self.applied))
        try:
            self._db.write(batch, self._write)
        except Exception as error:
            raise self._fault("cannot be written", error) from error

    def _fault(self, what: str, error: Exception) -> Fault:
        """RocksDB's own words name files and devices, never keys or values.

        Damage often shows only when a block is read or files are merged, and would at every start: the
        next one builds the store again. A full disk says nothing against what the store holds.
        """
        self._forget_if_damaged(error)
        return Fault(f"the local store of {self._identity[1]}[{self._identity[2]}] {what}: {error}")

    def _forget_if_damaged(self, error: Exception) -> None:
        if str(error).startswith("Corruption"):
            shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Never raises: who lets go of a partition need not know of a full or damaged disk.

        What was not flushed is read again from the changelog.
        """
        try:
            self._db.flush()
            self._db.close()
        except Exception as error:
            _, topic, partition = self._identity
            told = {"changelog": topic, "partition": partition, "error": str(error)}
            log.warning("the local store cannot be written", extra=told)
            with suppress(Exception):
                self._db.close()  # says so once more
            self._forget_if_damaged(error)
