"""Records put in any order of groups come back group by group, each in the order it was put."""

from pathlib import Path

from streams.spill import Spill, Spilled


def grouped(spill: Spill) -> dict[bytes, list[Spilled]]:
    return {name: [*group] for name, group in spill.groups()}


def test_a_group_comes_back_whole_and_in_order() -> None:
    """Whatever lay between its records."""
    with Spill() as spill:
        spill.put(1, [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        spill.put(0, [(b"b", b"4"), (b"a", b"5")])
        assert grouped(spill) == {
            b"a": [(1, b"1"), (1, b"3"), (0, b"5")],
            b"b": [(1, b"2"), (0, b"4")],
        }


def test_of_a_compacted_key_only_the_last_value_is_kept() -> None:
    """And none, if the last was a deletion: what compaction has not removed yet does not count."""
    with Spill() as spill:
        spill.put_latest(3, b"k", b"a", b"1")
        spill.put_latest(3, b"k", b"a", b"2")
        spill.put_latest(3, b"gone", b"a", b"3")
        spill.put_latest(3, b"gone", b"", None)
        assert grouped(spill) == {b"a": [Spilled(3, b"2")]}


def test_nothing_is_left_on_disk() -> None:
    """Patients' data lie in a folder of their own, which is gone afterwards."""
    with Spill() as spill:
        folder = Path(spill.folder)
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
