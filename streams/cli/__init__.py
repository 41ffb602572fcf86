"""The command line: ``perdiem``. One file for each noun."""

import logging
import sys
from importlib import import_module

import typer

from streams.errors import PerdiemError

app = typer.Typer(
    help="Each CAR-T service reported once per patient, per day: exactly one charge, on the event stream.",
    no_args_is_help=True,
    add_completion=False,
    # Its tracebacks show local variables, and those hold patients.
    pretty_exceptions_enable=False,
)


def counted(count: int, noun: str) -> str:
    """``1 record``, ``1,234 records``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def words(name: str) -> str:
    """``not_ours`` for people: ``not ours``."""
    return name.replace("_", " ")


# In the order of `perdiem --help`. Each module adds its commands to `app`; imports of what is slow to
# load belong inside the commands.
for noun in (
    "demo",
    "worker",
    "play",
    "simulate",
    "tail",
    "why",
    "episode",
    "holds",
    "alerts",
    "dead_letters",
    "override",
    "merge",
    "opening_balance",
    "reconcile",
    "audit",
    "replay",
    "forget",
    "topics",
    "web",
    "facilities",
    "settings",
    "kafka",
):
    import_module(f"streams.cli.{noun}")


def main() -> None:
    """Run the command line; what a person can put right is told in a line each, with exit code 2."""
    # Clients say at length what the exception, told below in one line, says again.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        app()
    except PerdiemError as error:
        for line in str(error).splitlines():
            print(f"perdiem: {line}", file=sys.stderr)
        sys.exit(error.code)
