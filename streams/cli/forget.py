"""``perdiem forget``: what is known of patients' days before a date is removed."""

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, counted
from streams.cli.acting import act, askable, confirm, signed
from streams.cli.options import WAIT_OF_MANY, DryRun, User, Wait, Why, Yes

if TYPE_CHECKING:
    from streams.topics import Topics


@app.command()
def forget(
    before: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first service date that is kept.")
    ],
    reason: Why = "",
    user: User = "",
    force: Annotated[
        bool, typer.Option("--force", help="Even if that is younger than PERDIEM_RETENTION_YEARS.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Wait = WAIT_OF_MANY,
) -> None:
    """Have the ledger forget every patient's days before a date, and never charge anything of them again.

    Charges that stand stay as they are: no credit is written. There is no way back. Ended early, it can be
    given again: nothing is forgotten twice.
    """
    from streams.forget import Who, check, old
    from streams.settings import Settings
    from streams.topics import Topics

    signature = signed(user, reason)
    settings = Settings.load()
    check(before.date(), datetime.now(UTC).date(), settings.retention_years, force=force)
    askable(yes or dry_run)
    topics = Topics.of(settings)

    async def run() -> None:
        async with old(settings, before.date()) as found:
            days = counted(found.days, "day")
            what = f"{counted(found.patients, 'patient')} with {days} before {found.before}"
            shown = stays(topics, found.before) if found.patients else []
            if dry_run or not found.patients:
                print("\n".join([f"{what}.", *shown]))
                return
            confirm([f"Forget {what}. What stays all the same:", *shown], yes)
            who = Who(signature[0], datetime.now(UTC), signature[1])
            await act(settings, found.commands(who), wait, many=True)

    asyncio.run(run())


def stays(topics: "Topics", before: date) -> list[str]:
    """What is not forgotten, in a line each."""
    sources = ", ".join(topic.name for topic in topics.all if not topic.ours)
    kept = ", ".join(topic.name for topic in topics.all if topic.ours and not topic.compacted)
    return [
        f"The ledger's days before {before} leave {topics.patient_days.name} once Kafka compacts it; "
        "the ids of the patients and of these procedures stay there.",
        f"What was sent stays in {sources}, which are not Perdiem's: their owners let it expire.",
        f"What was decided and charged stays in the topics that keep everything: {kept}.",
        f"What was on the worklist stays in {topics.holds.name} and {topics.redrives.name}, "
        "closed items too, with the whole source record.",
        f"The ids of patients, procedures and products stay in {topics.identities.name}.",
    ]
