"""Deciding: what a person says to do with items of the worklist; what would come of it, and what came."""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiohttp import web
from pydantic import ValidationError

from models.billing import Decision, Outcome
from models.commands import Discard, Redrive, Reject, Release
from models.expected import problem
from models.explain import explain, subject
from models.filling import filled_in
from models.messages import Unreadable
from models.worklist import Kind
from streams.access import Did
from streams.commands import Followed, carry_through, stamp
from streams.errors import PerdiemError
from streams.foresight import HYPOTHETICAL
from streams.holds import OnWorklist
from streams.topics import Topic
from streams.views.fates import Fate, fate_of, sentences
from streams.views.hrefs import Hrefs
from streams.views.listing import id_of, name_of
from streams.views.rights import Right
from streams.views.site import Asked
from streams.views.workers import Missing
from streams.views.worklist import PAGE, Foreseen, Worklist, Would

WAIT = 30.0
"""Seconds to wait for what comes of commands."""
ACTS: dict[Kind, dict[str, str]] = {
    Kind.HELD: {"release": "Release", "reject": "Reject"},
    Kind.CORRECTION: {"release": "Apply the correction", "reject": "Leave the charge as it is"},
    Kind.CLAIMED: {"release": "Leave the credit", "reject": "Bring the charge back"},
    Kind.REFUSED_CHARGE: {"reject": "Close"},
    Kind.ALERT: {"reject": "Close"},
    Kind.DEAD_LETTER: {"redrive": "Redrive as it is", "correct": "Redrive corrected", "discard": "Discard"},
}
"""What a person can do about an item of each kind, as forms name it, and in words."""


class Desk(NamedTuple):
    """One of the two lists, and who may do what there."""

    path: str
    title: str
    topic: Topic
    look: Right
    decide: Right
    kinds: tuple[Kind, ...]

    @property
    def acts(self) -> set[str]:
        return {act for kind in self.kinds for act in ACTS[kind]}


class Order(NamedTuple):
    """What a form orders."""

    act: str
    why: str
    number: uuid.UUID
    """The same number again is the same order: pressed twice it is carried out once."""
    items: list[str]
    fill: list[str]
    value: str | None

    @property
    def commands(self) -> list[OnWorklist]:
        """Without who gives them. Raises ``Unreadable`` or ``ValidationError``."""
        return [self._command(item, self.act) for item in self.items]

    def _command(self, item: str, act: str) -> OnWorklist:
        signed = {**stamp("nobody", self.why), "id": uuid.uuid5(self.number, item).hex}
        match act:
            case "release":
                return Release(item=item, fill=filled_in(self.fill), **signed)
            case "reject":
                return Reject(item=item, **signed)
            case "discard":
                return Discard(item=item, **signed)
            case "correct":
                value = base64.b64encode((self.value or "").encode())
                return Redrive(item=item, value=value, **signed)
            case _:
                return Redrive(item=item, **signed)


async def read_order(asked: Asked, desk: Desk) -> Order:
    """What the form says. Raises ``HTTPBadRequest`` that names what is missing, ``HTTPForbidden`` for a
    record written anew by somebody who may not see one."""
    form = await asked.request.post()

    def text(name: str) -> str:
        return str(form.get(name, "")).strip()

    act, why, names = text("act"), text("reason"), [str(name) for name in form.getall("item", [])]
    if act not in desk.acts:
        raise web.HTTPBadRequest(reason="What is to be done is not said")
    if not why:
        raise web.HTTPBadRequest(reason="A reason, in a few words, is expected")
    if not 0 < len(names) <= PAGE:
        raise web.HTTPBadRequest(reason=f"From 1 to {PAGE} items expected: choose some")
    value = str(form.get("value", "")).replace("\r\n", "\n") if act == "correct" else None
    pairs = [f"{name[5:]}={text(name)}" for name in form if name.startswith("fill.") and text(name)]
    pairs += [pair for each in text("fill").splitlines() if (pair := each.strip())]
    if len(names) > 1 and (pairs or value is not None):
        raise web.HTTPBadRequest(reason="What is filled in or corrected is of one item")
    if value is not None and not asked.person.unmasked:
        raise web.HTTPForbidden(reason="Only who may see what the source sent can write it anew")
    try:
        number = uuid.UUID(text("command")) if "command" in form else uuid.uuid4()
    except ValueError:
        raise web.HTTPBadRequest(reason="A form of this page expected: open it again") from None
    items = list(dict.fromkeys(id_of(asked.site.keys, name) for name in names))
    return Order(act, why, number, items, pairs if act == "release" else [], value)


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done, to be confirmed."""

    path: str
    title: str
    act: str
    label: str
    reason: str
    command: str
    fill: list[str]
    value: str | None
    fates: list[Fate]
    missing: list[Missing]

    @property
    def going(self) -> int:
        return sum(fate.goes for fate in self.fates)


class Follow(msgspec.Struct, frozen=True):
    """What was decided of an event because of the command."""

    event_id: str
    about: str
    said: list[str]
    charge_id: str | None = None
    """Its standing charge."""
    href: str | None = None
    """Where that is shown."""


_CHARGED = (Outcome.REPORTED, Outcome.CORRECTED)


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command on one item."""

    id: str
    name: str
    command: str
    """Its event: `perdiem why` explains it."""
    done: bool
    decided: bool
    """Whether that, and all that follows, was decided in time."""
    said: list[str]
    follows: list[Follow]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an order."""

    path: str
    title: str
    label: str
    items: list[Decided]

    @property
    def undecided(self) -> int:
        return sum(not item.decided for item in self.items)


class Deciding:
    """Previews and carries out what the forms of a list order."""

    def __init__(self, worklist: Worklist, hrefs: Hrefs) -> None:
        self._worklist = worklist
        self._hrefs = hrefs

    async def preview(self, asked: Asked, desk: Desk) -> Preview:
        order = await read_order(asked, desk)
        commands = _commands(order)
        names = {said.item: name_of(asked.site.keys, said.item) for said in commands}
        if asked.person.unmasked:
            for name in names.values():
                await asked.note(Did.LOOK, name)
        would, missing = await self._worklist.would(desk.topic.name, commands)
        foreseen = await self._foreseen(would) if asked.person.unmasked and len(commands) == 1 else {}
        whole = asked.person.unmasked
        fates = [
            fate_of(
                said.item,
                names[said.item],
                would.get(said.item),
                foreseen,
                whole=whole,
                unanswered=bool(missing),
            )
            for said in commands
        ]
        kind = next((each.item.kind for each in would.values()), desk.kinds[0])
        return Preview(
            path=desk.path,
            title=desk.title,
            act=order.act,
            label=ACTS[kind].get(order.act, order.act),
            reason=order.why,
            command=order.number.hex,
            fill=order.fill,
            value=order.value,
            fates=fates,
            missing=missing,
        )

    async def decide(self, asked: Asked, desk: Desk) -> Done:
        """Each command is noted before it is sent, and answered once it is decided, or after ``WAIT``."""
        order = await read_order(asked, desk)
        commands = [said.model_copy(update={"user": asked.person.user}) for said in _commands(order)]
        names = {said.item: name_of(asked.site.keys, said.item) for said in commands}
        would, _ = await self._worklist.would(desk.topic.name, commands)
        foreseen = await self._foreseen(would)
        events = {item: _events(each, foreseen) for item, each in would.items()}
        for name in names.values():
            await asked.note(Did.COMMAND, name)
        try:
            followed = await carry_through(asked.site.settings, commands, events, seconds=WAIT)
        except PerdiemError as error:
            raise web.HTTPServiceUnavailable(reason=str(error).splitlines()[0]) from None
        kind = next((each.item.kind for each in would.values()), desk.kinds[0])
        whole = asked.person.unmasked
        return Done(
            path=desk.path,
            title=desk.title,
            label=ACTS[kind].get(order.act, order.act),
            items=[self._decided(each, names[each.came.said.name], whole=whole) for each in followed],
        )

    def _decided(self, followed: Followed, name: str, *, whole: bool) -> Decided:
        came = followed.came
        said = ["Nothing was decided yet."] if came.decision is None else explain(came.decision)
        latest = {
            decision.event_id: decision
            for decision in sorted(followed.follows, key=lambda each: each.sequence)
        }
        return Decided(
            id=came.said.name,
            name=name,
            command=came.event_id,
            done=came.is_done,
            decided=followed.is_whole,
            said=said,
            follows=[self._follow(each, whole=whole) for each in latest.values()],
        )

    def _follow(self, decision: Decision, *, whole: bool) -> Follow:
        said = sentences(decision, whole=whole)
        if not whole:
            return Follow(decision.event_id, "", said)
        charge = decision.charge_id if decision.outcome in _CHARGED else None
        href = None
        if charge is not None and decision.patient is not None:
            href = f"{self._hrefs.day(decision.patient, decision.service_date)}#{charge}"
        return Follow(decision.event_id, subject(decision), said, charge, href)

    async def _foreseen(self, would: Mapping[str, Would]) -> dict[bytes, Foreseen | None]:
        """By entry what the ledgers would make of it."""
        entries = [entry for each in would.values() for entry in each.entries][:PAGE]
        return dict(zip(entries, await asyncio.gather(*map(self._worklist.foreseen, entries)), strict=True))


def _commands(order: Order) -> list[OnWorklist]:
    try:
        return order.commands
    except Unreadable as error:
        raise web.HTTPBadRequest(reason=str(error)) from None
    except ValidationError as error:
        field, said = problem(error)
        raise web.HTTPBadRequest(reason=f"{field}: expected {said}") from None


def _events(would: Would, foreseen: Mapping[bytes, Foreseen | None]) -> set[str]:
    """The events of which something would be decided because of the command."""
    posted = [found for entry in would.entries if (found := foreseen.get(entry)) is not None]
    decisions = [*would.decisions, *(each for found in posted for each in found.decisions)]
    return {decision.event_id for decision in decisions if decision.cause == HYPOTHETICAL}
