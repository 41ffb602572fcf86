"""Identity beside intake and the worklist: a record that it fails on costs no other, and is redriven."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from models.billing import Outcome, Reason, decode_decision
from models.entries import Survivor, decode_entry
from models.links import encode_link
from models.news import Product, encode_news, news_key
from models.routing import LINKS
from models.worklist import State
from streams import identity
from streams.headers import DECIDED, DECISION, EVENT_ID, REDRIVEN_FROM, TYPE
from streams.partitioning import partition_of
from tests.models.entered import merged, unmerged
from tests.streams.desk import Desk
from tests.streams.test_holds import decided, given

COMMANDS, DEAD_LETTERS, IDENTIFIERS = "perdiem.commands", "perdiem.dead-letters", "perdiem.identifiers"
FAILED = (Outcome.DEAD_LETTERED, Reason.RULE_FAILED)
MERGE = given("merge", "m", losing="LAKE|4711", surviving="LAKE|2")
PRODUCT = Product("W1", "LAKE|4711", "e1")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def broken(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("4711")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (LINKS, None),
        (LINKS, b""),
        (LINKS, encode_news(PRODUCT)),
        (LINKS, b'{"type":"merge","losing":4711}'),
        (b"product|W1", None),
        (b"product|W1", b"{4711"),
        (b"\xff", encode_news(PRODUCT)),
        (None, encode_news(PRODUCT)),
    ],
)
def test_what_identity_cannot_deal_with_is_a_dead_letter_and_nothing_else_is(
    desk: Desk, key: Any, value: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Whole, named by its own place, with its decision, where commands on it go; what follows is heard."""
    event = desk.take(IDENTIFIERS, value, key)
    [letter] = desk.logs[DEAD_LETTERS]
    headers = dict(letter.headers)
    assert (letter.key, letter.value, letter.partition) == (key, value, partition_of(event.encode(), 4))
    assert (headers[EVENT_ID], decode_decision(headers[DECISION]).event_id) == (event.encode(), event)
    assert decided(desk, event) == [(1, *FAILED)]
    assert desk.item(DEAD_LETTERS, event).state is State.OPEN
    assert not [each for _, each in letter.headers if each and b"4711" in each]
    assert event in caplog.text
    assert "4711" not in caplog.text
    assert decided(desk, desk.take(COMMANDS, MERGE)) == [(1, Outcome.APPLIED, None)]
    assert len(desk.logs[DEAD_LETTERS]) == 1


def test_a_merge_that_the_rule_fails_on_answers_its_command_and_is_redriven(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes to identity again, and what is decided then follows on the decisions before; so if undone."""
    with monkeypatch.context() as defect:
        defect.setattr(identity, "link", broken)
        event = desk.take(COMMANDS, MERGE)
        assert decided(desk, event) == [(1, *FAILED)]
        desk.take(COMMANDS, given("redrive", "too-early", item=event))
    assert decided(desk, event) == [(1, *FAILED), (2, *FAILED)]
    item = desk.item(DEAD_LETTERS, event)
    assert (item.state, item.topic, item.redriven) == (State.OPEN, IDENTIFIERS, 1)
    redrive = desk.take(COMMANDS, given("redrive", "r", item=event))
    assert decided(desk, redrive) == [(1, Outcome.APPLIED, None)]
    assert decided(desk, event)[2:] == [(3, Outcome.APPLIED, None)]
    sent = desk.logs[IDENTIFIERS][-1]
    assert (sent.key, sent.partition) == (LINKS, partition_of(LINKS, 4))
    assert [name for name, _ in sent.headers] == [TYPE, EVENT_ID, REDRIVEN_FROM, DECIDED]
    survivors = [
        entry
        for record in desk.logs["perdiem.procedures"]
        if isinstance(entry := decode_entry(record.value), Survivor)
    ]
    assert [(told.patient, told.survivor) for told in survivors] == [("LAKE|4711", "LAKE|2")]
    undo = given("undo_merge", "u", merge="m", losing="LAKE|4711", surviving="LAKE|2")
    assert decided(desk, desk.take(COMMANDS, undo)) == [(1, Outcome.APPLIED, None)]
    assert decided(desk, event)[3:] == [(4, Outcome.UNDONE, None)]


def test_what_the_ledger_tells_is_redriven_as_it_should_have_been(desk: Desk) -> None:
    """It is heard as if it came now; as it is it fails again, under the place where it lies then."""
    event = desk.take(IDENTIFIERS, b"[]", news_key(PRODUCT))
    desk.take(COMMANDS, given("redrive", "r1", item=event))
    assert desk.item(DEAD_LETTERS, event).state is State.REDRIVEN
    [place] = {f"{IDENTIFIERS}:{each.partition}:{each.offset}:0" for each in desk.logs[IDENTIFIERS][1:]}
    assert decided(desk, place) == [(1, *FAILED)]
    value = base64.b64encode(encode_news(PRODUCT)).decode()
    desk.take(COMMANDS, given("redrive", "r2", item=place, value=value))
    other = Product("W1", "LAKE|2", "e2")
    assert desk.take(IDENTIFIERS, encode_news(other), news_key(other))
    [alert] = [json.loads(record.value) for record in desk.logs["perdiem.held"]]
    assert alert["event_ids"] == ["e2"]


@pytest.mark.parametrize("key", [LINKS, news_key(PRODUCT)])
def test_where_the_state_cannot_be_read_nothing_is_decided(
    desk: Desk, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker ends: the record is none that is wrong."""
    monkeypatch.setattr("streams.once.table.Table.get", broken)
    value = encode_link(merged("A|1", "A|2")) if key == LINKS else encode_news(PRODUCT)
    with pytest.raises(ZeroDivisionError):
        desk.take(IDENTIFIERS, value, key)
    assert desk.logs.keys() == {IDENTIFIERS}


def test_nothing_is_kept_under_no_patient(desk: Desk) -> None:
    """An undoing is remembered by its id alone."""
    merge = merged("A|1", "A|2")
    for said in (merge, unmerged(merge)):
        desk.take(IDENTIFIERS, encode_link(said), LINKS)
    assert desk.kept(IDENTIFIERS, "identity_links") == {"m1", "undo:u1"}
    assert desk.kept(IDENTIFIERS, "identity_linked") == {"A|1", "A|2"}
