"""What the commands that act have in common: who, why, what will be done, and what came of it."""

import getpass
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import typer

from streams.cli import counted, words
from streams.errors import PerdiemError

if TYPE_CHECKING:
    from models.billing import Outcome
    from models.commands import Command
    from streams.commands import Came
    from streams.settings import Settings

SHOWN = 20
"""Lines at most about those of many that were not carried out."""


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
        typer.echo("Nothing was done.", err=err)
        raise typer.Exit(1)


async def act(
    settings: "Settings",
    commands: "Iterable[Command]",
    seconds: float,
    *,
    of_items: bool = False,
    many: bool = False,
    err: bool = False,
    verb: str | None = None,
) -> None:
    """Give the commands, and say of each what came of it; exit 1 if one was not carried out.

    ``many``: a line for each would be too many, so how many came to what, and the first that failed. The id
    of each must follow from what it says: whoever is told that not all was decided gives them again.
    Raises ``ActingError`` then. On standard error, if ``err``. ``verb``: what the person calls it.
    """
    from streams.commands import carry_out

    if many:
        typer.echo(f"Waiting until all is decided, or nothing more was for {seconds:g} s.", err=True)
    became: Counter[Outcome] = Counter()
    failed = undecided = 0
    async with aclosing(carry_out(settings, commands, seconds=seconds, of_items=of_items)) as coming:
        async for came in coming:
            if came.decision is None:
                undecided += 1
            else:
                became[came.decision.outcome] += 1
                failed += not came.is_done
            if not many or (came.decision and not came.is_done and failed <= SHOWN):
                typer.echo(told(came, verb), err=err)
    for outcome, count in became.items() if many else ():
        typer.echo(f"{counted(count, 'command')}: {words(outcome)}", err=err)
    if undecided:
        again = " The same again does no harm: nothing is done twice." if many else ""
        raise ActingError(
            f"{undecided:,} of {became.total() + undecided:,} not decided in time: does a worker run?{again}"
        )
    if failed:
        raise typer.Exit(1)


def told(came: "Came", verb: str | None = None) -> str:
    """What came of a command, in one line; ``verb``: what the person calls it."""
    from msgspec.structs import replace

    from models.explain import explain

    what = f"{verb or words(came.said.command)} {came.said.name}"
    why = f"perdiem why {came.event_id}"
    if came.decision is None:
        return f"{what}: nothing was decided yet, see {why}"
    said = [f"{what}: {words(came.decision.outcome)}.", *explain(came.decision)[1:]]
    if came.of_item is not None:
        of_item = replace(came.of_item, cause=came.of_item.event_id)
        now, *more = explain(of_item, warnings=False)
        said += [f"Now {words(of_item.outcome)}.", now, *more] if came.is_done else more
    if not came.is_done:
        said.append(f"See {why}.")
    return " ".join(said)
