"""``perdiem topics``: make them, check them."""

import asyncio
from typing import Annotated

import typer

from streams.cli import app
from streams.roles import Role

topics = typer.Typer(help="The topics that Perdiem needs.", no_args_is_help=True)
app.add_typer(topics, name="topics")


@topics.command()
def create() -> None:
    """Create the topics that are missing, then check all."""
    from streams.settings import Settings
    from streams.topics import check, create

    async def run() -> list[str]:
        settings = Settings.load()
        created = await create(settings)
        await check(settings)
        return created

    created = asyncio.run(run())
    for name in created:
        print(f"{name}: created")
    print("All topics are there and as they should be.")


@topics.command("check")
def check_all() -> None:
    """Check brokers and topics; one line for each mismatch."""
    from streams.settings import Settings
    from streams.topics import check

    asyncio.run(check(Settings.load()))
    print("All topics are there and as they should be.")


@topics.command()
def acls(
    role: Annotated[Role, typer.Argument(help="Who connects.")],
    principal: Annotated[
        str | None, typer.Option(help="As Kafka knows it; User: and the role if not given.")
    ] = None,
) -> None:
    """Say as commands of kafka-acls.sh what a role needs on the brokers, and no more."""
    from streams.acls import lines
    from streams.settings import Settings

    for line in lines(Settings.load(), role, principal or f"User:{role}"):
        print(line)
