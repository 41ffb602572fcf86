"""A worklist in memory, and commands that are kept instead of being sent."""

from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from models.billing import Decision, Outcome, Reason
from models.commands import Command
from models.worklist import Item
from streams import commands, foresight, kept, worklist
from streams.cli import acting, app
from streams.commands import Came, Said
from streams.foresight import Foreseen
from streams.worklist import Wanted

EVENT, LETTER = "lab.procedures:0:7:0", "lab.procedures:0:8:0"


class Desk:
    """Where a person decides: what waits, what was decided, and what answers come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.items: list[Item] = []
        self.letters: list[Item] = []
        self.sent: list[Any] = []
        self.known: list[Any] = []
        """Commands of before."""
        self.outcome: tuple[Outcome, Reason | None] | None = (Outcome.APPLIED, None)
        monkeypatch.setattr(worklist, "held", self._held)
        monkeypatch.setattr(worklist, "dead_letters", self._dead_letters)
        monkeypatch.setattr(commands, "carry_out", self._carry_out)
        monkeypatch.setattr(commands, "find", self._find)
        self.orders: dict[str, Command] = {}
        """By event id, what was given before."""
        monkeypatch.setattr(commands, "orders", self._orders)
        self.foreseen: Foreseen | None = None
        monkeypatch.setattr(foresight, "foresee", self._foresee)
        self.standing: dict[str, int] = {}
        """Charges that stand, by patient."""
        monkeypatch.setattr(kept, "standing_of", self._standing_of)

    def run(self, *arguments: str, terminal: bool = False, answer: str = "") -> Result:
        stdin = SimpleNamespace(isatty=lambda: terminal)
        self._monkeypatch.setattr(acting, "sys", SimpleNamespace(stdin=stdin))
        return CliRunner().invoke(app, arguments, input=answer)

    async def _standing_of(self, _settings: object, patient: str) -> int:
        return self.standing.get(patient, 0)

    async def _orders(self, _settings: object, event_ids: Iterable[str]) -> dict[str, Command]:
        return {event_id: self.orders[event_id] for event_id in event_ids if event_id in self.orders}

    async def _foresee(self, *_asked: object) -> Foreseen | None:
        return self.foreseen

    async def _held(self, _settings: object, wanted: Wanted, **_how: Any) -> dict[str, Item]:
        return {item.id: item for item in self.items if wanted(item)}

    async def _dead_letters(self, _settings: object, wanted: Wanted, **_how: Any) -> dict[str, Item]:
        return {item.id: item for item in self.letters if wanted(item)}

    async def _carry_out(
        self, _settings: object, given: Iterable[Command], **_how: Any
    ) -> AsyncIterator[Came]:
        for number, said in enumerate(given):
            self.sent.append(said)
            yield self._came(said, f"perdiem.commands:0:{number}:0")

    def _came(self, command: Command, event_id: str) -> Came:
        said = Said(command.command, getattr(command, "item", command.id))
        if self.outcome is None:
            return Came(said, event_id, None)
        outcome, reason = self.outcome
        made = Decision(event_id=event_id, sequence=1, cause=event_id, outcome=outcome, reason=reason)
        return Came(said, event_id, made)

    async def _find(self, _settings: object, name: str, kind: type[Any]) -> Any:
        [found] = [said for said in self.known if said.id == name and isinstance(said, kind)]
        return found
