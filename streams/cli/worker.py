"""``perdiem worker``: reads, decides, bills."""

from streams.cli import app


@app.command()
def worker() -> None:
    """Run one worker until Ctrl-C or SIGTERM. More workers share the partitions."""
    from streams.app import run_worker
    from streams.settings import Settings

    run_worker(Settings.load())
