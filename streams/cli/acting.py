"""What the commands that act have in common: who, why, what will be done, and what came of it."""

import asyncio
import getpass
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import counted
from streams.errors import PerdiemError

if TYPE_CHECKING:
    from models.commands import Command
    from streams.commands import Came
    from streams.settings import Settings

Why = Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision. Needed.")]
User = Annotated[str, typer.Option(help="Who decides; the user of this machine if not given.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for what comes of it.")]
ShowPatients = Annotated[bool, typer.Option("--show-patients", help="Show patients' ids.")]
WAIT = 30.0
SHOWN = 20
"""Lines at most about what was not carried out."""


class ActingError(PerdiemError):
    """What is missing to act."""


def _whoever() -> str:
    """The name that this machine knows the person by."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return "unknown"


def signed(user: str, reason: str) -> tuple[str, str]:
    """Who decides, and why. Raises ``ActingError`` without a reason."""
    if not reason.strip():
        raise ActingError("--reason: why, in a few words, expected")
    return user.strip() or _whoever(), reason.strip()


def askable(yes: bool) -> None:
    """Raise ``ActingError`` where nobody can be asked, and nobody said yes before."""
    if not yes and not sys.stdin.isatty():
        raise ActingError("--yes expected: there is no terminal to ask on")


def confirm(shown: Sequence[str], yes: bool, *, err: bool = False) -> None:
    """Show what will be done, and ask; on standard error, if ``err``. Raises ``ActingError``."""
    askable(yes)
    for line in shown:
        typer.echo(line, err=err)
    if not yes and not typer.confirm("Do this?", err=err):
        raise typer.Exit(1)


def act(
    settings: "Settings", commands: "Sequence[Command]", seconds: float, *, of_items: bool = False
) -> None:
    """Give the commands, and say of each what came of it; exit 1 if one was not carried out."""
    from streams.commands import carry_out

    came = asyncio.run(carry_out(settings, commands, seconds=seconds, of_items=of_items))
    for each in came:
        print(told(each))
    _end([each for each in came if not done(each)], len(came))


def act_on_many(settings: "Settings", commands: "Sequence[Command]", seconds: float) -> None:
    """As ``act``, where a line for each would be too many: how many came to what, and what failed."""
    from streams.commands import carry_out

    came = asyncio.run(carry_out(settings, commands, seconds=seconds))
    became = Counter(each.decision.outcome for each in came if each.decision)
    for outcome, count in became.items():
        print(f"{counted(count, 'command')}: {outcome.replace('_', ' ')}")
    failed = [each for each in came if not done(each)]
    for each in failed[:SHOWN]:
        print(told(each))
    _end(failed, len(came))


def _end(failed: "Sequence[Came]", count: int) -> None:
    if undecided := sum(each.decision is None for each in failed):
        raise ActingError(f"{undecided} of {count} not decided in time: does a worker run?")
    if failed:
        raise typer.Exit(1)


def done(came: "Came") -> bool:
    """Whether it was carried out, now or when it was given before."""
    from models.billing import Outcome

    return came.decision is not None and came.decision.outcome in (Outcome.APPLIED, Outcome.REPEATED)


def told(came: "Came") -> str:
    """What came of a command, in one line."""
    from models.explain import explain

    what = f"{came.command.command.replace('_', ' ')} {getattr(came.command, 'item', came.command.id)}"
    if came.decision is None:
        return f"{what}: nothing was decided yet, see perdiem why {came.event_id}"
    said = [f"{what}: {came.decision.outcome.replace('_', ' ')}.", *explain(came.decision)[1:]]
    if came.of_item is not None:
        said += [f"Now {came.of_item.outcome.replace('_', ' ')}.", *explain(came.of_item, warnings=False)]
    return " ".join(said)
