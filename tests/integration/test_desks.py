"""The worklist and the dead letters on the pages: seen, foreseen, decided, and told once it is decided."""

import asyncio
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from models.billing import Acknowledged
from models.entries import Ruling, decode_entry
from models.worklist import State
from streams.access import Did
from streams.topics import create
from streams.views.rights import Role
from streams.views.secret import Secret
from streams.worklist import dead_letters, every, held
from tests.integration.live import Live, both_running, said
from tests.kafka import Sent, installation, read_all
from tests.opened import SECRET, bearer

pytestmark = pytest.mark.integration

MRN = "UNMISTAKABLE4711"
UNKNOWN = {"mrn": MRN, "assigning_authority": "NOBODY"}
FORM = "application/x-www-form-urlencoded"


class Two(NamedTuple):
    """An installation with two workers."""

    live: Live
    ports: tuple[int, int]


@pytest.fixture(scope="module")
def two(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with both_running(settings, folder) as (one, other):
        yield Two(Live(one), (settings.web_port, other.settings.web_port))


def ask(
    port: int,
    path: str,
    form: list[tuple[str, str]] | None = None,
    *,
    role: Role = Role.ANALYST,
    accept: str = "application/json",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body; ``form`` is posted."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    sent = {"Accept": accept, **(bearer(role) if headers is None else headers)}
    try:
        if form is None:
            connection.request("GET", path, headers=sent)
        else:
            connection.request("POST", path, urlencode(form), {**sent, "Content-Type": FORM})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


async def got(port: int, path: str, form: list[tuple[str, str]] | None = None, **how: Any) -> Any:
    """The JSON of a page."""
    status, body = await asyncio.to_thread(ask, port, path, form, **how)
    assert status == 200, body
    return json.loads(body)


def order(
    item: str, act: str, *more: tuple[str, str], reason: str = "the lab said so"
) -> list[tuple[str, str]]:
    return [("item", item), ("act", act), ("reason", reason), *more]


async def confirm(port: int, path: str, form: list[tuple[str, str]], **how: Any) -> tuple[Any, Any]:
    """What the preview said, and what came of confirming it."""
    preview = await got(port, f"{path}/preview", form, **how)
    kept = [pair for pair in form if pair[0] != "command"]
    return preview, await got(port, f"{path}/decide", [*kept, ("command", preview["command"])], **how)


async def items(port: int, path: str, **query: str) -> list[str]:
    return [item["id"] for item in (await got(port, f"{path}?{urlencode(query)}"))["items"]]


async def test_a_hold_is_released_by_form_and_the_charge_appears(two: Two) -> None:
    """The preview says which charge would be written, and writes none; the answer says that it stands."""
    live, (port, other) = two
    [event] = await live.take([said("R1", patient=UNKNOWN)])
    shown = await got(port, f"/holds/{event}")
    assert [blank["field"] for blank in shown["blanks"]] == ["patient.assigning_authority"]
    assert MRN in shown["record"]
    form = order(event, "release", ("fill.patient.assigning_authority", "LAKE"))
    preview = await got(other, "/holds/preview", form)
    [fate] = preview["fates"]
    assert fate["goes"]
    assert [
        text.startswith("charge 38225 collection of cells on 2025-03-10") for text in fate["billing"]
    ] == [True]
    assert not [charge for charge in await live.billing_events() if charge.event_id == event]
    _, done = await confirm(port, "/holds", form)
    [came] = done["items"]
    assert came["done"]
    [follow] = came["follows"]
    assert (follow["event_id"], follow["said"][0]) == (event, "Its charge stands.")
    [charge] = [charge for charge in await live.billing_events() if charge.event_id == event]
    assert (charge.patient, charge.cause) == (f"LAKE|{MRN}", came["command"])
    shown = await got(port, f"/holds/{event}")
    assert (shown["line"]["state"], shown["acts"]) == ("released", {})
    [before] = shown["before"]
    assert (before["user"], before["why"]) == ("analyst", "the lab said so")
    assert before["filled"] == ["patient.assigning_authority"]


async def test_what_still_would_not_resolve_is_said_before_anything_is_done(two: Two) -> None:
    """With the field and what is expected there."""
    live, (port, _) = two
    [event] = await live.take([said("R2", patient=UNKNOWN)])
    form = order(event, "release", ("fill", "patient.assigning_authority=ELSEWHERE"))
    [fate] = (await got(port, "/holds/preview", form))["fates"]
    assert not fate["goes"]
    assert fate["said"][1].startswith("patient.assigning_authority: expected")
    assert (await held(live.settings, every))[event].heard == {}


async def test_pressed_twice_is_decided_once(two: Two) -> None:
    """Whichever worker hears it the second time; whoever comes too late is told so before."""
    live, (port, other) = two
    [event] = await live.take([said("R3", patient={"mrn": "93", "assigning_authority": "NOBODY"})])
    form = order(event, "release", ("fill.patient.assigning_authority", "LAKE"))
    preview = await got(port, "/holds/preview", form)
    form.append(("command", preview["command"]))
    came = await asyncio.gather(*(got(each, "/holds/decide", form) for each in (port, other)))
    assert [each["items"][0]["done"] for each in came] == [True, True]
    item = (await held(live.settings, every))[event]
    assert (item.state, len(item.heard)) == (State.RELEASED, 1)
    assert sum(charge.event_id == event for charge in await live.billing_events()) == 1
    [fate] = (await got(port, "/holds/preview", order(event, "reject")))["fates"]
    assert fate["goes"] is False


async def test_a_hold_is_rejected_by_form(two: Two) -> None:
    """It is never charged, and listed among what was rejected."""
    live, (port, _) = two
    [event] = await live.take([said("R4", code=None, charge_code="0815")])
    _, done = await confirm(port, "/holds", order(event, "reject"))
    [follow] = done["items"][0]["follows"]
    assert follow["said"][0] == "Not charged: a person decided that it is not taken in."
    assert event in await items(port, "/holds", state="rejected")
    assert event not in await items(port, "/holds")


async def test_a_held_correction_is_foreseen_as_the_ledger_would_apply_it(two: Two) -> None:
    """The credit and the charge; then they are written."""
    live, (port, _) = two
    [event] = await live.take([said("C1")])
    [charge] = [each for each in await live.billing_events() if each.event_id == event]
    ack = {"charge_id": charge.id, "patient": charge.patient, "status": Acknowledged.ON_CLAIM}
    await live.take([Sent("billing.acks", json.dumps(ack).encode(), charge.patient.encode())])
    [correction] = await live.take([said("C1", performed={"start": "2025-03-11T09:00:00"}, version=2)])
    [item] = [each for each in (await held(live.settings, every)).values() if each.event_ids == (correction,)]
    listed = await got(port, "/holds?kind=correction")
    [name] = [each["name"] for each in listed["items"] if each["id"] == item.id]
    assert ":" not in name
    preview, done = await confirm(port, "/holds", order(name, "release"))
    kinds = [text.split()[0] for text in preview["fates"][0]["billing"]]
    assert sorted(kinds) == ["charge", "credit"]
    assert correction in {follow["event_id"] for follow in done["items"][0]["follows"]}
    await live.processed()
    entries = [
        decode_entry(each.value) for each in await read_all(live.settings, live.topics.procedures.name)
    ]
    assert [entry.apply for entry in entries if isinstance(entry, Ruling) and entry.item == item.id] == [True]


async def test_a_dead_letter_is_redriven_corrected(two: Two) -> None:
    """By who may see it: read as it should have been it is charged."""
    live, (port, _) = two
    [event] = await live.take([said("D1", status="done")])
    shown = await got(port, f"/dead-letters/{event}")
    value = shown["record"].replace('"done"', '"performed"').replace("\n", "\r\n")
    form = order(event, "correct", ("value", value))
    preview, done = await confirm(port, "/dead-letters", form)
    assert preview["fates"][0]["said"][0].startswith("Read as: collection of cells")
    assert done["items"][0]["follows"][0]["said"][0] == "Its charge stands."
    assert (await dead_letters(live.settings, every))[event].state is State.REDRIVEN


async def test_of_many_dead_letters_is_said_how_many_would_be_read(two: Two) -> None:
    """As they are they still cannot be; discarded together they are off the list."""
    live, (port, _) = two
    events = await live.take([said("D2", status="done"), b"{"])
    form = [("item", event) for event in events] + [("act", "redrive"), ("reason", "mended")]
    preview = await got(port, "/dead-letters/preview", form)
    assert [fate["goes"] for fate in preview["fates"]] == [False, False]
    form[-2] = ("act", "discard")
    _, done = await confirm(port, "/dead-letters", form)
    assert [each["done"] for each in done["items"]] == [True, True]
    assert not {*events} & {*await items(port, "/dead-letters")}


async def test_an_operator_redrives_and_never_sees_what_the_source_sent(two: Two) -> None:
    """Not in the list, not on the page, not in what would come or came of it, in HTML nor in JSON."""
    live, (port, _) = two
    patient = {"mrn": MRN, "assigning_authority": "LAKE"}
    [event] = await live.take([said(f"D3-{MRN}", patient=patient, status=MRN)])
    form = order(event, "redrive")
    for accept in ("text/html", "application/json"):
        pages: list[tuple[str, list[tuple[str, str]] | None]] = [
            ("/dead-letters", None),
            (f"/dead-letters/{event}", None),
            ("/dead-letters/preview", form),
            ("/dead-letters/decide", form),
        ]
        for path, sent in pages:
            status, body = await asyncio.to_thread(ask, port, path, sent, role=Role.OPERATOR, accept=accept)
            assert status == 200, body
            assert MRN.encode() not in body
            assert b"status: expected" in body or path == "/dead-letters/decide"
    value = said("D3", patient=patient).decode()
    corrected = order(event, "correct", ("value", value))
    status, _ = await asyncio.to_thread(ask, port, "/dead-letters/decide", corrected, role=Role.OPERATOR)
    assert status == 403
    assert (await asyncio.to_thread(ask, port, "/holds", role=Role.OPERATOR))[0] == 403


async def test_a_viewer_sees_no_patient_and_decides_nothing(two: Two) -> None:
    """What the source sent and what people filled in is left out; the forms are refused."""
    live, (port, _) = two
    [event] = await live.take(
        [said("V1", patient={"mrn": MRN, "assigning_authority": "LAKE"}, code="", charge_code="1")]
    )
    for path in ("/holds", f"/holds/{event}"):
        for accept in ("text/html", "application/json"):
            status, body = await asyncio.to_thread(ask, port, path, role=Role.VIEWER, accept=accept)
            assert (status, MRN.encode() in body, b"<textarea" in body) == (200, False, False)
    for path in ("/holds/preview", "/holds/decide"):
        assert (await asyncio.to_thread(ask, port, path, order(event, "reject"), role=Role.VIEWER))[0] == 403
    assert (await asyncio.to_thread(ask, port, "/dead-letters", role=Role.VIEWER))[0] == 403
    assert (await held(live.settings, every))[event].state is State.OPEN


async def test_a_form_without_the_word_of_its_session_is_refused(two: Two) -> None:
    """A browser sends its cookie from any page; only ours have the word."""
    live, (port, _) = two
    [event] = await live.take([said("V2", code="", charge_code="1")])
    link = Secret(SECRET).link("ada", Role.ANALYST)
    cookie = await asyncio.to_thread(_login, port, link)
    status, page = await asyncio.to_thread(
        ask, port, f"/holds/{event}", accept="text/html", headers={"Cookie": cookie}
    )
    found = re.search(r'name="csrf" value="([^"]+)"', page.decode())
    assert status == 200
    assert found
    form = order(event, "reject")
    for sent, expected in ((form, 403), ([*form, ("csrf", found[1])], 200)):
        answer = await asyncio.to_thread(ask, port, "/holds/preview", sent, headers={"Cookie": cookie})
        assert answer[0] == expected


async def test_every_command_and_unmasked_look_is_noted(two: Two) -> None:
    """Who, and about what item; the command before it is sent."""
    live, (port, _) = two
    [event] = await live.take([said("A1", code="", charge_code="1")])
    await got(port, f"/holds/{event}")
    await got(port, f"/holds/{event}", role=Role.VIEWER)
    await confirm(port, "/holds", order(event, "reject"))
    topic = live.topics.access.name
    noted = [json.loads(record.value) for record in await read_all(live.settings, topic)]
    own = [(each["did"], each["user"], each["page"]) for each in noted if each.get("about") == event]
    assert own == [
        (Did.LOOK, "analyst", "/holds/{item}"),
        (Did.LOOK, "analyst", "/holds/preview"),
        (Did.COMMAND, "analyst", "/holds/decide"),
    ]


async def test_both_workers_show_the_same_list_page_by_page(two: Two) -> None:
    """Each item once, the oldest first, and no more on a page than there is room for."""
    live, ports = two
    await live.take([said(f"L{number}", code="", charge_code="1") for number in range(120)])
    shown = []
    for port in ports:
        seen: list[dict[str, Any]] = []
        query: str | None = "?reason=unmapped_code"
        while query is not None:
            page = await got(port, f"/holds{query}")
            assert page["missing"] == []
            assert len(page["items"]) <= 50
            seen += page["items"]
            query = page["next"]
        shown.append(seen)
    assert shown[0] == shown[1]
    assert len({item["id"] for item in shown[0]}) == len(shown[0]) >= 120
    assert [item["since"] for item in shown[0]] == sorted(item["since"] for item in shown[0])
    first = shown[0][0]["since"]
    assert await items(ports[0], "/holds", until="2025-01-01") == []
    assert await items(ports[0], "/holds", facility="bayview", reason="unmapped_code") == []
    assert first > 0


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/holds?kind=nothing", None, 400),
        ("/holds?since=yesterday", None, 400),
        ("/holds?after=x", None, 400),
        ("/holds/nothing", None, 404),
        ("/holds/lab.procedures:0:999:0", None, 404),
        ("/holds/preview", [("act", "release"), ("reason", "r")], 400),
        ("/holds/preview", order("lab.procedures:0:1:0", "redrive"), 400),
        ("/holds/preview", order("lab.procedures:0:1:0", "release", reason=" "), 400),
        ("/holds/preview", order("lab.procedures:0:1:0", "release", ("fill", f"version={MRN}")), 400),
        ("/holds/decide", order("lab.procedures:0:1:0", "reject", ("command", "x")), 400),
    ],
)
def test_what_cannot_be_asked_is_refused(
    two: Two, path: str, form: list[tuple[str, str]] | None, status: int
) -> None:
    """With what is expected, and nothing of what was sent."""
    found, body = ask(two.ports[0], path, form)
    assert found == status
    assert MRN.encode() not in body


def _login(port: int, link: str) -> str:
    """The cookie of a session."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", f"/login?token={link}")
        response = connection.getresponse()
        response.read()
        cookies = SimpleCookie(response.headers["Set-Cookie"])
        return "; ".join(f"{name}={cookie.coded_value}" for name, cookie in cookies.items())
    finally:
        connection.close()
