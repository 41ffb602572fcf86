"""Whoever gives commands is told what came of each, as it is decided."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from models.billing import Decision, Outcome, Reason, encode_decision
from models.commands import Command, Discard, Release
from streams import commands
from streams.commands import Came, Said, carry_out, stamp
from streams.settings import Settings

ITEM, PAUSE = "lab.procedures:0:7:0", 0.2


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Decision]:
    """What is decided, one after a pause after the other. Commands are at c:0:0:0, c:0:1:0 and so on."""
    made: list[Decision] = []

    class Reader:
        async def spans(self, _topic: str) -> None:
            return None

        async def follow(self, _topic: str, _behind: None) -> AsyncIterator[list[Any]]:
            for decision in made:
                await asyncio.sleep(PAUSE)
                yield [SimpleNamespace(value=encode_decision(decision))]
            await asyncio.Event().wait()

    @asynccontextmanager
    async def reader(_settings: Settings) -> AsyncIterator[Reader]:
        yield Reader()

    async def write(_settings: Settings, given: Iterable[Command]) -> AsyncIterator[tuple[str, Said]]:
        for number, said in enumerate(given):
            yield f"c:0:{number}:0", Said(said.command, ITEM)

    monkeypatch.setattr(commands, "reader", reader)
    monkeypatch.setattr(commands, "_write", write)
    return made


def made(event_id: str, outcome: Outcome, reason: Reason | None = None) -> Decision:
    return Decision(event_id=event_id, sequence=1, cause=event_id, outcome=outcome, reason=reason)


async def came(*given: Command, seconds: float = 0.5) -> list[Came]:
    return [each async for each in carry_out(Settings.isolated(), given, seconds=seconds, of_items=True)]


async def test_what_became_of_the_item_is_told_though_it_was_decided_first(decided: list[Decision]) -> None:
    """Decisions on both lie in different partitions, which are read in any order."""
    decided += [made(ITEM, Outcome.REPORTED), made("c:0:0:0", Outcome.APPLIED)]
    [each] = await came(Release(item=ITEM, **stamp("ada", "seen")))
    assert each == Came(Said("release", ITEM), "c:0:0:0", decided[1], decided[0])


async def test_nothing_more_is_waited_for_once_a_command_is_refused(decided: list[Decision]) -> None:
    """Its item stays as it is, unless it was tried and still does not resolve."""
    decided += [made("c:0:0:0", Outcome.REFUSED, Reason.ALREADY_DONE)]
    [each] = await came(Release(item=ITEM, **stamp("ada", "seen")), seconds=60)
    assert (each.is_done, each.of_item) == (False, None)


async def test_the_wait_is_for_the_next_decision_however_many_there_are(decided: list[Decision]) -> None:
    """Four are decided later than one wait would allow; what is left is given at the end."""
    given = [Discard(item=ITEM, **stamp("ada", "seen")) for _ in range(5)]
    decided += [made(f"c:0:{number}:0", Outcome.APPLIED) for number in (2, 0, 3, 1)]
    found = await came(*given)
    assert [each.event_id for each in found] == [f"c:0:{number}:0" for number in (2, 0, 3, 1, 4)]
    assert [each.is_done for each in found] == [True, True, True, True, False]
    assert found[-1].decision is None
