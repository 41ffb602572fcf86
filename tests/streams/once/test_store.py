"""Store: one partition's state on disk, which may be lost but never be wrong."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import rocksdict

from streams.once.failure import Fault
from streams.once.store import Store


def opened(folder: Path, cluster: str = "cluster", topic: str = "changelog", partition: int = 0) -> Store:
    return Store(folder / "store", cluster, topic, partition)


def written(folder: Path) -> None:
    """A store that followed its changelog to offset 7."""
    store = opened(folder)
    store.apply([(b"a", b"1"), (b"b", b"2")], (7, "digest"))
    store.close()


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Values, and the offset and digest of the position they belong to, outlive the process."""
    written(tmp_path)
    store = opened(tmp_path)
    assert (store.get(b"a"), store.get(b"b"), store.get(b"c")) == (b"1", b"2", None)
    assert store.applied is not None
    assert (store.applied.offset, store.applied.digest) == (7, "digest")
    store.close()


def test_a_write_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes, deletes and position go to disk as one write: there is no state between."""
    store = opened(tmp_path)
    writes = []
    real = store._db.write

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(db, name)

        def write(self, batch: rocksdict.WriteBatch, options: rocksdict.WriteOptions) -> None:
            writes.append(batch.len())
            real(batch, options)

    db = store._db
    monkeypatch.setattr(store, "_db", Watched())
    store.apply([(b"a", b"1"), (b"b", b"2"), (b"a", None)], (1, "d"))
    assert writes == [4]
    assert (store.get(b"a"), store.get(b"b")) == (None, b"2")
    store.close()


@pytest.mark.parametrize(
    "other",
    [{"cluster": "another"}, {"topic": "another"}, {"partition": 1}],
    ids=lambda other: next(iter(other)),
)
def test_the_state_of_another_changelog_is_thrown_away(
    tmp_path: Path, other: dict[str, str | int], caplog: pytest.LogCaptureFixture
) -> None:
    """A store that followed another cluster, topic or partition is wiped, with a warning."""
    written(tmp_path)
    store = opened(tmp_path, **other)  # type: ignore[arg-type]
    assert (store.applied, store.get(b"a")) == (None, None)
    [told] = caplog.records
    assert told.getMessage() == "the local store is built again"
    assert vars(told)["why"] == "it follows another cluster, topic or schema"
    store.close()


def test_a_store_that_does_not_say_what_it_follows_is_thrown_away(tmp_path: Path) -> None:
    """A restore that ended before the first position leaves keys of unknown age: they do not stay."""
    store = opened(tmp_path)
    store.apply([(b"a", b"1")])
    store.close()
    store = opened(tmp_path)
    assert (store.applied, store.get(b"a")) == (None, None)
    store.close()


def test_a_store_whose_word_cannot_be_read_is_thrown_away(tmp_path: Path) -> None:
    """What a later or broken version wrote there is no reason to stop: the changelog has everything."""
    store = opened(tmp_path)
    store.apply([(b"applied", b"{"), (b"a", b"1")])
    store.close()
    store = opened(tmp_path)
    assert (store.applied, store.get(b"a")) == (None, None)
    store.close()


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*", "*.sst"])
def test_a_store_damaged_on_disk_is_thrown_away(tmp_path: Path, name: str) -> None:
    """Whatever file of it is garbage, the store opens empty and is built again from its changelog."""
    written(tmp_path)
    for file in (tmp_path / "store").glob(name):
        file.write_bytes(b"garbage" * 40)
    store = opened(tmp_path)
    assert (store.applied, store.get(b"a")) == (None, None)
    store.apply([(b"a", b"1")], (1, "d"))
    assert store.get(b"a") == b"1"
    store.close()


def test_a_store_that_another_process_holds_is_left_alone(tmp_path: Path) -> None:
    """Opening it twice raises; nothing is wiped under the one who works with it."""
    store = opened(tmp_path)
    store.apply([(b"a", b"1")], (1, "d"))
    with pytest.raises(Exception, match="LOCK"):
        opened(tmp_path)
    assert store.get(b"a") == b"1"
    store.close()


def test_keys_are_found_by_their_beginning(tmp_path: Path) -> None:
    """Iteration gives what is under a prefix, in key order, and nothing beside it."""
    store = opened(tmp_path)
    store.apply([(b"t2\0a", b"4"), (b"t\0b", b"2"), (b"t\0a", b"1"), (b"s\0z", b"3")], (1, "d"))
    assert list(store.items(b"t\0")) == [(b"t\0a", b"1"), (b"t\0b", b"2")]
    store.close()


KEYS = [f"k{number:05}".encode() for number in range(5000)]


def damaged(folder: Path, percent: int) -> Store:
    """A store of ``KEYS``, opened again after its file was damaged there."""
    store = opened(folder)
    store.apply([(key, b"v" * 50) for key in KEYS], (7, "digest"))
    store.close()
    [file] = (folder / "store").glob("*.sst")
    content = bytearray(file.read_bytes())
    start = len(content) * percent // 100
    content[start : start + 60] = b"x" * 60
    file.write_bytes(content)
    return opened(folder)


@pytest.mark.parametrize("percent", [0, 30, 60, 97, 99])
def test_damage_heals_with_a_restart(tmp_path: Path, percent: int) -> None:
    """Wherever a file is damaged, the store is empty at once or, after a read raised, at the next start."""
    store = damaged(tmp_path, percent)
    if store.applied is not None:
        with pytest.raises(Exception, match="Corruption"):
            [store.get(key) for key in KEYS]
        store._db.close()
        store = opened(tmp_path)
    assert store.applied is None
    assert [store.get(key) for key in KEYS] == [None] * len(KEYS)
    store.close()


@pytest.mark.parametrize("percent", [30, 60])
def test_a_look_through_a_damaged_store_does_not_end_early_without_a_word(
    tmp_path: Path, percent: int
) -> None:
    """In both directions; a whole one is gone through to its end, and so is a part of it."""
    store = damaged(tmp_path, percent)
    with pytest.raises(Fault, match="cannot be read: Corruption"):
        [*store.items(b"k")]
    with pytest.raises(Fault, match="cannot be read: Corruption"):
        [*store.items_backwards(b"k")]
    assert len([*store.items(b"k000")]) == 100
    store._db.close()


def merged_with_damage(folder: Path) -> Store:
    """A store that opened well, and met damage when RocksDB merged its files: it takes no write any more."""
    keys = [f"k{number:05}".encode() for number in range(500)]
    for offset in range(3):
        store = opened(folder)
        store.apply([(key, b"v" * 200) for key in keys], (offset, "digest"))
        store.close()
    file = min((folder / "store").glob("*.sst"))
    content = bytearray(file.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 60] = b"x" * 60
    file.write_bytes(content)
    store = opened(folder)
    store._db.compact_range(None, None)
    return store


def test_damage_that_shows_at_a_write_heals_with_a_restart(tmp_path: Path) -> None:
    """The worker ends with one line, once: the next one finds an empty store instead of the same damage."""
    store = merged_with_damage(tmp_path)
    with pytest.raises(Fault, match="cannot be written: Corruption"):
        store.apply([(b"a", b"1")], (3, "digest"))
    store.close()
    store = opened(tmp_path)
    assert store.applied is None
    store.close()


def test_damage_does_not_keep_a_store_from_being_closed_or_wiped(tmp_path: Path) -> None:
    """Who lets go of a partition, or restores it, need not know of damage that was found meanwhile."""
    store = merged_with_damage(tmp_path / "closed")
    store.close()
    store = opened(tmp_path / "closed")
    assert store.applied is None
    store.close()
    store = merged_with_damage(tmp_path / "wiped")
    store.wipe("its changelog does not reach where it stopped")
    store.apply([(b"a", b"1")], (1, "digest"))
    assert store.get(b"a") == b"1"
    store.close()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows any more."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_takes_nothing_that_a_store_holds(tmp_path: Path) -> None:
    """The worker ends with a line; with room again the store goes on where it was last on disk."""
    written(tmp_path)
    store = opened(tmp_path)
    store.apply([(b"c", b"3")], (8, "later"))
    with full_disk():
        with pytest.raises(Exception, match="IO error"):
            store._db.flush()
        with pytest.raises(Fault, match="cannot be written: IO error"):
            store.apply([(b"d", b"4")], (9, "latest"))
        store.close()
    store = opened(tmp_path)
    assert store.applied is not None
    assert (store.applied.offset, store.get(b"a"), store.get(b"c")) == (7, b"1", None)
    store.close()


def test_a_store_closes_on_a_full_disk(tmp_path: Path) -> None:
    """A stop ends with 0 however full the disk is: what was not written is read from the changelog again."""
    store = opened(tmp_path)
    store.apply([(b"a", b"1")], (7, "digest"))
    with full_disk():
        store.close()
    assert opened(tmp_path).applied is None


def test_the_last_keys_come_first_when_read_backwards(tmp_path: Path) -> None:
    """Of one prefix, from those that begin with what is asked for; its neighbours are not touched."""
    store = opened(tmp_path)
    names = [b"s\0z", b"t\0", b"t\0a1", b"t\0a2", b"t\0b", "t\0é".encode(), b"u\0a"]
    store.apply([(name, b"") for name in names], (1, "d"))
    assert [key for key, _ in store.items_backwards(b"t\0")] == names[5:0:-1]
    assert [key for key, _ in store.items_backwards(b"t\0", b"t\0a")] == [b"t\0a2", b"t\0a1", b"t\0"]
    assert [*store.items_backwards(b"v\0")] == []
    store.close()
