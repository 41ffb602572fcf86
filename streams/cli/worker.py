"""``perdiem worker``: reads, decides, bills."""

import asyncio

from streams.cli import app


@app.command()
def worker() -> None:
    """Run one worker until Ctrl-C or SIGTERM. Start as many as there are partitions, at most."""
    from streams.settings import Settings, SettingsError
    from streams.topics import check, create

    settings = Settings.load()
    if settings.facilities is None:
        raise SettingsError("PERDIEM_FACILITIES: the path of a facilities file expected")

    async def prepare() -> None:
        if settings.create_topics:
            await create(settings)
        await check(settings)

    asyncio.run(prepare())
    from streams.app import run_worker

    run_worker(settings)
