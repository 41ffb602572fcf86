"""Table and Slice: the state as readers see it, and how an agent writes it."""

from typing import Any

import pytest
from msgspec.json import decode as json_decode
from msgspec.json import encode as json_encode

from streams.once import Codec, OnceApp, Refused, Table
from streams.once.owner import Owner, State
from streams.once.table import Slice
from tests.streams.once.fakes import COUNTS, an_owner, filling


def stored(owner: Owner, table: Table[str, int], **counts: int | None) -> None:
    """``owner`` holds ``counts``, as after a commit."""
    part: Slice[str, int] = owner.slices[table]
    owner.store.apply([(part.encode_key(key), part.encode(value)) for key, value in counts.items()])


def test_a_table_is_read_as_a_faust_table_is(app: OnceApp, table: Table[str, int], owner: Owner) -> None:
    """By app.tables[name], table[key], get, in, len and iteration; a missing key is a KeyError."""
    stored(owner, table, a=1, b=2)
    read: Any = app.tables["counts"]
    assert read is table
    assert (table["a"], table.get("b"), table.get("c"), table.get("c", 0)) == (1, 2, None, 0)
    assert ("a" in table, "c" in table, len(table)) == (True, False, 2)
    assert dict(table.items()) == {"a": 1, "b": 2}
    with pytest.raises(KeyError):
        table["c"]


def test_a_key_error_does_not_say_the_key(table: Table[str, int], owner: Owner) -> None:
    """Keys hold patients, and error texts reach logs."""
    with pytest.raises(KeyError) as caught:
        table["a patient"]
    assert "a patient" not in str(caught.value)


def test_tables_of_one_owner_are_apart(app: OnceApp) -> None:
    """The same key in two tables is two values, even where one table's name begins the other's."""
    one, other = app.once_table("days", COUNTS), app.once_table("days2", COUNTS)
    owner = an_owner(app, one, other)
    stored(owner, one, a=1)
    stored(owner, other, a=2, b=3)
    assert (dict(one), dict(other)) == ({"a": 1}, {"a": 2, "b": 3})
    owner.store.close()


def test_writing_outside_a_unit_of_work_raises(table: Table[str, int], owner: Owner) -> None:
    """Nothing but an agent's unit can change the state."""
    with pytest.raises(RuntimeError, match="table counts: written only while an agent fills"):
        table["a"] = 1
    with pytest.raises(RuntimeError, match="table counts: written only while an agent fills"):
        table.__delitem__("a")


def test_a_unit_sees_its_own_writes_and_nobody_else_does(table: Table[str, int], owner: Owner) -> None:
    """What a unit wrote is read back in it, deletes included; until the commit others see what was."""
    stored(owner, table, a=1, b=2)
    with filling(owner):
        table["a"] = 10
        del table["b"]
        assert (table["a"], "b" in table) == (10, False)
        table["b"] = 20
        assert table["b"] == 20
    assert (table["a"], table["b"]) == (1, 2)


def test_a_value_read_is_the_readers_own(app: OnceApp) -> None:
    """Who changes what was read changes no state: every read decodes anew."""
    lists = app.once_table("lists", Codec[str, list[int]](str.encode, bytes.decode, json_encode, json_decode))
    owner = an_owner(app, lists)
    with filling(owner):
        lists["a"] = [1]
        lists["a"].append(2)
        assert lists["a"] == [1]
    owner.store.close()


def test_a_unit_given_up_leaves_nothing(table: Table[str, int], owner: Owner) -> None:
    """A unit that was filled and not committed has changed nothing, not even in memory."""
    with filling(owner):
        table["a"] = 1
    with filling(owner):
        assert "a" not in table
    assert len(table) == 0


def test_only_complete_partitions_are_shown(table: Table[str, int], owner: Owner) -> None:
    """A partition that is still being restored is not read: half a state would mislead."""
    stored(owner, table, a=1)
    owner.state = State.RESTORING
    assert dict(table) == {}
    owner.state = State.RESTORED
    assert dict(table) == {"a": 1}


def test_a_value_that_cannot_be_read_is_no_missing_one(table: Table[str, int], owner: Owner) -> None:
    """State of a later version, or garbage, refuses the work: taken for absent it would charge again."""
    owner.store.apply([(b"counts\0a", b"no number")])
    with pytest.raises(Refused, match="table counts: a value of its state cannot be read"):
        table.get("a")
