"""Options that several commands have: the same words, and the same meaning."""

from typing import Annotated

import typer

Why = Annotated[str, typer.Option("--reason", help="Why: it is kept with the decision. Needed.")]
User = Annotated[str, typer.Option(help="Who decides; the user of this machine if not given.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Wait = Annotated[
    float, typer.Option(min=0, help="Seconds to wait for what comes of it; of many, for the next of them.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Every = Annotated[bool, typer.Option("--all", help="Those that were decided, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs, as JSON.")]
ShowPatients = Annotated[bool, typer.Option("--show-patients", help="Show patients' ids.")]

WAIT = 30.0
WAIT_OF_MANY = 120.0
"""Workers may change over meanwhile."""
