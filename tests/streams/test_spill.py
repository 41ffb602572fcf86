"""Records put in any order of groups come back group by group, each in the order it was put."""

from itertools import pairwise, permutations
from pathlib import Path

from streams.spill import NOWHERE, Spill, Tie


def grouped(spill: Spill) -> list[list[tuple[bytes, int, bytes]]]:
    return [[(record.group, record.kind, record.value) for record in group] for group in spill.groups()]


def test_a_group_comes_back_whole_and_in_order() -> None:
    """Whatever lay between its records."""
    with Spill() as spill:
        spill.put(1, [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        spill.put(0, [(b"b", b"4"), (b"a", b"5")])
        assert grouped(spill) == [
            [(b"a", 1, b"1"), (b"a", 1, b"3"), (b"a", 0, b"5")],
            [(b"b", 1, b"2"), (b"b", 0, b"4")],
        ]


def test_of_a_compacted_key_only_the_last_value_is_kept() -> None:
    """And none, if the last was a deletion: what compaction has not removed yet does not count."""
    with Spill() as spill:
        spill.put_latest(3, b"k", b"a", b"1")
        spill.put_latest(3, b"k", b"a", b"2")
        spill.put_latest(3, b"gone", b"a", b"3")
        spill.put_latest(3, b"gone", b"", None)
        assert grouped(spill) == [[(b"a", 3, b"2")]]


def test_groups_that_are_tied_together_come_back_as_one() -> None:
    """By a chain of names, in whatever order it was told; what is tied to nothing stays alone."""
    chain = [Tie(b"d", "x"), Tie(b"c", "x"), Tie(b"c", "y"), Tie(b"a", "y"), Tie(b"b", "z")]
    for ties in permutations(chain):
        with Spill() as spill:
            spill.put(1, [(b"d", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4"), (b"d", b"5")])
            spill.tie(ties)
            assert grouped(spill) == [
                [(b"a", 1, b"3"), (b"c", 1, b"4"), (b"d", 1, b"1"), (b"d", 1, b"5")],
                [(b"b", 1, b"2")],
            ]


def test_a_long_chain_of_ties_is_one_group() -> None:
    """From either end, and from the middle."""
    names = [f"{number:03}" for number in range(200)]
    pairs = [*pairwise(names)]
    for order in (pairs, pairs[::-1], pairs[100:] + pairs[:100], pairs[::2] + pairs[1::2]):
        with Spill() as spill:
            spill.put(1, [(name.encode(), b"") for name in names])
            spill.tie(Tie(group.encode(), f"{one}-{other}") for one, other in order for group in (one, other))
            assert [len(group) for group in grouped(spill)] == [200]


def test_a_record_tells_the_partition_it_lies_in() -> None:
    """Where that is said."""
    with Spill() as spill:
        spill.put(1, [(b"a", b"1")], 7)
        spill.put_latest(3, b"k", b"b", b"2", 5)
        spill.put(1, [(b"c", b"3")])
        assert [record.partition for group in spill.groups() for record in group] == [7, 5, NOWHERE]


def test_nothing_is_left_on_disk() -> None:
    """Patients' data lie in a folder of their own, which is gone afterwards."""
    with Spill() as spill:
        folder = Path(spill.folder)
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
