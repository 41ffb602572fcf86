"""``perdiem topics``: make them, check them."""

import asyncio

import typer

from streams.cli import app

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
