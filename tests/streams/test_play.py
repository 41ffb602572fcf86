"""A file of records is read line by line; the first line that is no record is named."""

from pathlib import Path

import pytest

from streams.play import PlayError, Record, read_file, read_lines


def test_a_value_is_sent_as_it_is_written() -> None:
    """JSON byte by byte, base64 decoded, null as no value; key and headers as texts."""
    lines = [
        b'{"topic": "t", "key": "k", "value": {"a":  1}, "headers": {"h": "v"}}\n',
        b"\n",
        b'{"topic": "t", "value_base64": "//4="}\n',
        b'{"topic": "t", "key": "k"}\n',
    ]
    assert [*read_lines(lines)] == [
        Record("t", b"k", b'{"a":  1}', [("h", b"v")]),
        Record("t", None, b"\xff\xfe", []),
        Record("t", b"k", None, []),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"key": "k"}', "line 2: Object missing required field `topic`"),
        (b'{"topic": 1}', r"line 2: Expected `str`, got `int` - at `\$.topic`"),
        (b'{"topic": "t", "vlaue": 1}', "line 2: Object contains unknown field `vlaue`"),
        (b'{"topic": "t", "value_base64": "?"}', "line 2: value_base64: expected base64"),
        (b"topic", "line 2: JSON is malformed"),
    ],
)
def test_a_bad_line_is_told_by_number_and_field(line: bytes, told: str) -> None:
    """What stands in the line is not repeated."""
    with pytest.raises(PlayError, match=told):
        [*read_lines([b'{"topic": "t"}', line])]


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    """The file is named, and what the system says of it."""
    with pytest.raises(PlayError, match=r"gone\.jsonl: No such file or directory$"):
        [*read_file(tmp_path / "gone.jsonl")]


def test_of_several_files_the_wrong_one_is_named(tmp_path: Path) -> None:
    """Beside the line in it."""
    file = tmp_path / "day.jsonl"
    file.write_text('{"topic": "t"}\n{}\n')
    with pytest.raises(PlayError, match=r"^/.*day\.jsonl: line 2: Object missing"):
        [*read_file(file)]
